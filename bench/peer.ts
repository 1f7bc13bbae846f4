import type { MessagePort } from 'node:worker_threads'

/**
 * What a library is asked for by the scenarios, in both roles. Each is set up as its own documentation
 * says, with the same methods.
 */
export interface Peer {
  /** In the server's process. */
  serve(): Promise<PeerServer>
  /** In the clients' process. */
  connect(port: number, page: Page): Promise<PeerClient>
}

/** The same over a port to a thread of the same process. */
export interface PortPeer {
  /** In the thread. */
  serve(port: MessagePort): void
  connect(port: MessagePort): Promise<PeerClient>
}

/** What the server calls of a client. */
export interface Page {
  double(n: number): number
  noted(note: Note): void
}

export interface Note {
  readonly n: number
  readonly text: string
}

export interface PeerServer {
  readonly port: number
  /** Calls `double` of every client at once, and awaits all; where the library can call a client. */
  callAll?(n: number): Promise<number[]>
  /** Tells every client. */
  noteAll?(note: Note): unknown
}

export interface PeerClient {
  add(a: number, b: number): Promise<number>
  /** Gives back what it is given. */
  echo(value: object): Promise<object>
  /** The same for bytes, where the library carries any. */
  bytes?(value: Uint8Array): Promise<Uint8Array>
}

/** The text of every note: notifications are seldom numbers only. */
export const NOTE_TEXT = 'The build of main has passed; 1,234 tests in 56 s.'
