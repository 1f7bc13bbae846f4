/** `out`: this page called the server. `in`: the server called this page. */
export type Direction = 'out' | 'in'

/** The outcome of a row. */
export type Outcome =
  /** It runs. */
  | 'pending'
  /** It was answered, or, a notification, passed. */
  | 'done'
  /** It was answered with an error. */
  | 'error'
  /** Its caller cancelled it, or its timeout has passed. */
  | 'given up'
  /** Its connection, or session, ended before its answer. */
  | 'lost'

/** A message that belongs to a row. */
export interface RowMessage {
  /** When it passed, in ms since the epoch. */
  readonly at: number
  readonly direction: Direction
  readonly bytes: number
  readonly message: unknown
}

/** A call, a stream, a notification, or a word of the protocol's own. */
export interface Row {
  /** Counts rows, from 1. */
  readonly key: number
  readonly kind: 'call' | 'stream' | 'notification' | 'protocol' | 'unreadable'
  readonly direction: Direction
  readonly method: string
  readonly outcome: Outcome
  /** When its first message passed, in ms since the epoch. */
  readonly startedAt: number
  /** From its first message to its end, in ms; null while it runs. */
  readonly durationMs: number | null
  /** All its messages, in bytes, text by its length. */
  readonly bytes: number
  readonly params: unknown
  /** Its answer; null before. */
  readonly answer: { readonly result: unknown } | { readonly error: unknown } | null
  /** Its last progress; undefined before the first. */
  readonly progress: unknown
  /** Items that came, and those that went along. */
  readonly items: number
  /** How often it was written again, on a later connection. */
  readonly resent: number
  /** Its messages, the first and the newest of them. */
  readonly messages: readonly RowMessage[]
  /** How many more there were. */
  readonly messagesLeftOut: number
}
