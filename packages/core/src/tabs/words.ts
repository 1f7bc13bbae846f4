import type { ClientState } from '../client/state.js'

/** The version of these words; a page and a worker of different ones do not share. */
export const WORDS_VERSION = 2

/**
 * What a tab and the worker it shares say to each other beside the frames, on the same port
 * (docs/protocol.md, "Tabs").
 */

/** Either says: frames of this connection follow. */
export interface OpenWord {
  readonly flashrpc: 'open'
  readonly n: number
  /** Worker: the session that it has with the server. */
  readonly session?: string | null
}

/** Either says: the connection is over. */
export interface CloseWord {
  readonly flashrpc: 'close'
  readonly n: number
  readonly code: number
  readonly reason: string
}

/** What a tab says. */
export type TabWord =
  /** Its first: a client there wants a connection. It holds a lock for as long as it lives, where it can. */
  | {
      readonly flashrpc: 'tab'
      readonly lock: string | undefined
      readonly isVisible: boolean
      /** Whose connection it wants: equal for tabs that may share one. */
      readonly owner: string
    }
  /** It has come to the front, or has gone from there. */
  | { readonly flashrpc: 'seen'; readonly isVisible: boolean }
  /** Attempt to connect at once. */
  | { readonly flashrpc: 'hurry' }
  /** Its connection has ended: it wants another. */
  | { readonly flashrpc: 'again' }
  /** The answer to `ask-url`. */
  | { readonly flashrpc: 'url'; readonly n: number; readonly url?: string; readonly why?: string }
  /** Its client has stopped, or was closed. */
  | { readonly flashrpc: 'bye' }

/** What the worker says. */
export type WorkerWord =
  /** Its first. */
  | { readonly flashrpc: 'worker'; readonly lock: string | undefined; readonly v: number }
  /** The connection belongs to another owner: the tab must make one of its own. */
  | { readonly flashrpc: 'alone' }
  /** How its connection to the server stands; the tab's client does as if it were its own. */
  | { readonly flashrpc: 'state'; readonly state: LinkState }
  /** Asks where to connect to. */
  | { readonly flashrpc: 'ask-url'; readonly n: number }

/** As much of a client's state as is about its connection. */
export interface LinkState
  extends Pick<ClientState, 'status' | 'attempt' | 'retryAt' | 'latencyMs'> {
  readonly failure: { readonly message: string; readonly closeCode: number } | null
}

/** Whether what was posted is a word, and no frame. */
export function isWord(data: unknown): data is { readonly flashrpc: string } {
  const word = (typeof data === 'object' && data !== null ? data : {}) as { flashrpc?: unknown }
  return typeof word.flashrpc === 'string'
}
