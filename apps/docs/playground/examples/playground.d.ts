/** The module of the playground that leads one program to the other. */
declare module 'playground' {
  /** The port to the other program, in place of the network. */
  export const port: MessagePort
}
