/** A message of a port that stands on the other side too; ports that travel with it, by their ids. */
export interface PortMessage {
  readonly type: 'port-message'
  readonly port: string
  readonly data: unknown
  readonly ports: readonly string[]
}

/** A port was closed, or the document that held it went away. */
export interface PortClose {
  readonly type: 'port-close'
  readonly port: string
}

/** The messages of a document's isolated world to the main process. */
export type FromWorld =
  | { readonly type: 'document'; readonly url: string }
  | { readonly type: 'send'; readonly channel: string; readonly args: readonly unknown[] }
  | {
      readonly type: 'post'
      readonly channel: string
      readonly message: unknown
      readonly ports: readonly string[]
    }
  | {
      readonly type: 'invoke'
      readonly id: number
      readonly channel: string
      readonly args: readonly unknown[]
    }
  | { readonly type: 'preload-error'; readonly path: string; readonly error: unknown }
  | PortMessage
  | PortClose

/** The messages of the main process to a document's isolated world. */
export type ToWorld =
  | { readonly type: 'send'; readonly channel: string; readonly args: readonly unknown[] }
  | {
      readonly type: 'post'
      readonly channel: string
      readonly message: unknown
      readonly ports: readonly string[]
    }
  | { readonly type: 'answer'; readonly id: number; readonly result: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly error: string }
  | PortMessage
  | PortClose
