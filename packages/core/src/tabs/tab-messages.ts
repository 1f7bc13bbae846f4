import type { ClientState } from '../client/state.js'

// The control messages between a tab and the worker that it shares. They travel on the same port as the frames
// (docs/protocol.md, "Tabs").

/** The version of these messages. A page and a worker with different versions do not share. */
export const MESSAGES_VERSION = 2

/** From either end: frames of this connection follow. */
export interface OpenMessage {
  readonly flashrpc: 'open'
  readonly n: number
  /** From the worker: its session with the server. */
  readonly session?: string | null
}

/** From either end: the connection is over. */
export interface CloseMessage {
  readonly flashrpc: 'close'
  readonly n: number
  readonly code: number
  readonly reason: string
}

/** The control messages of a tab. */
export type TabMessage =
  /**
   * Its first message: a client in the tab wants a connection. The tab holds a lock for as long as it lives, if it can.
   */
  | {
      readonly flashrpc: 'tab'
      readonly lock: string | undefined
      readonly isVisible: boolean
      /** The owner of the connection that it wants: equal for tabs that may share one. */
      readonly owner: string
    }
  /** The tab has come to the front, or has left it. */
  | { readonly flashrpc: 'seen'; readonly isVisible: boolean }
  /** Attempt to connect at once. */
  | { readonly flashrpc: 'hurry' }
  /** Its connection has ended: it wants another. */
  | { readonly flashrpc: 'again' }
  /** The answer to `ask-url`. */
  | { readonly flashrpc: 'url'; readonly n: number; readonly url?: string; readonly why?: string }
  /** Its client has stopped, or was closed. */
  | { readonly flashrpc: 'bye' }

/** The control messages of the worker. */
export type WorkerMessage =
  /** Its first message. */
  | { readonly flashrpc: 'worker'; readonly lock: string | undefined; readonly v: number }
  /** The connection belongs to another owner: the tab must make one of its own. */
  | { readonly flashrpc: 'alone' }
  /** The state of its connection to the server. The tab's client treats it as its own. */
  | { readonly flashrpc: 'state'; readonly state: LinkState }
  /** Asks for the address to connect to. */
  | { readonly flashrpc: 'ask-url'; readonly n: number }

/** The part of a client's state that is about its connection. */
export interface LinkState
  extends Pick<ClientState, 'status' | 'attempt' | 'retryAt' | 'latencyMs'> {
  readonly failure: { readonly message: string; readonly closeCode: number } | null
}

/** Whether a posted value is a control message, and not a frame. */
export function isControlMessage(data: unknown): data is { readonly flashrpc: string } {
  const message = (typeof data === 'object' && data !== null ? data : {}) as { flashrpc?: unknown }
  return typeof message.flashrpc === 'string'
}
