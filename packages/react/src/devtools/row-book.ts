import { LeftOut, type ReadMessage } from './message-reader.js'
import type { Direction, Outcome, Row, RowMessage } from './row.js'

/** The most rows that are kept. */
const MOST_ROWS = 1_000
/** Of a row's messages, so many of the first and of the newest are kept. */
const FIRST_MESSAGES = 20
const NEWEST_MESSAGES = 30
/** Of larger messages, what they carry is not kept, in bytes. */
const MOST_BYTES = 256 * 1024

const HELLO_ID = 'rpc:1'

const CANCELS: ReadonlySet<string> = new Set(['rpc.cancel', '$/cancelRequest'])

/** Words that are said of a call, and whether its caller says them. */
const WORDS: ReadonlyMap<string, 'caller' | 'callee'> = new Map([
  ['rpc.cancel', 'caller'],
  ['$/cancelRequest', 'caller'],
  ['rpc.credit', 'caller'],
  ['rpc.input', 'caller'],
  ['rpc.input.end', 'caller'],
  ['rpc.item', 'callee'],
  ['rpc.input.credit', 'callee'],
  ['rpc.progress', 'callee'],
])

interface Message {
  readonly id?: unknown
  readonly method?: unknown
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: unknown
  readonly rpc?: { readonly credit?: unknown }
}

type Draft = { -readonly [K in keyof Row]: Row[K] } & { messages: RowMessage[] }

/**
 * Makes rows of messages: which belong to one call, which are written again after a resume, and what became of
 * it. Bounded: the oldest rows are dropped, and counted.
 */
export class RowBook {
  /** Whether no new rows are made; those there are go on. */
  isPaused = false
  #drafts: Draft[] = []
  /** Rows as they were told last, of those that have not changed since. */
  readonly #told = new WeakMap<Draft, Row>()
  /** When each began, by `performance.now()`: how long it took does not depend on a wall clock that is set. */
  readonly #begunAt = new WeakMap<Draft, number>()
  #key = 0
  #dropped = 0
  /** Calls that are not answered, by who calls and their id. */
  readonly #open = new Map<string, Draft>()
  /** The rows of messages that the server has not acknowledged, in order; undefined without a session. */
  #kept: (Draft | undefined)[] | undefined
  #acknowledged = 0
  /** Those of them that are written again on the connection that goes on with the session. */
  #again: (Draft | undefined)[] = []
  readonly #isCounted: (message: unknown) => boolean

  /** @param isCounted whether a message has a number in a session. */
  constructor(isCounted: (message: unknown) => boolean) {
    this.#isCounted = isCounted
  }

  get dropped(): number {
    return this.#dropped
  }

  rows(): readonly Row[] {
    return this.#drafts.map((draft) => {
      const told = this.#told.get(draft) ?? { ...draft, messages: [...draft.messages] }
      this.#told.set(draft, told)
      return told
    })
  }

  /** It begins within a session, of which it has seen nothing. */
  joinSession({ sent, acknowledged }: { sent: number; acknowledged: number }): void {
    this.#kept = Array.from({ length: sent - acknowledged }, () => undefined)
    this.#acknowledged = acknowledged
  }

  write(direction: Direction, { message, bytes }: ReadMessage): void {
    const read = asMessage(message)
    const passed: RowMessage = {
      at: Date.now(),
      direction,
      bytes,
      message: bytes > MOST_BYTES ? abridged(message, bytes) : message,
    }
    const isNumbered = direction === 'out' && this.#isCounted(message)
    if (isNumbered && this.#isAgain(passed)) return
    const row = read ? this.#take(direction, read, passed) : this.#unreadable(direction, passed)
    if (isNumbered) this.#kept?.push(row)
  }

  /** Without a session, what was open ends with its connection. */
  connectionEnded(): void {
    this.#again = []
    if (!this.#kept) this.#lose()
  }

  clear(): void {
    this.#drafts = []
    this.#dropped = 0
    this.#open.clear()
    this.#kept = this.#kept?.map(() => undefined)
  }

  // ── Sessions ──────────────────────────────────────────────────────────────────────────────────

  /** Whether a message was written before, on an earlier connection. */
  #isAgain(passed: RowMessage): boolean {
    if (this.#again.length === 0) return false
    const row = this.#again.shift()
    if (row) {
      row.resent++
      this.#add(row, passed)
    }
    return true
  }

  #welcomed(result: unknown): void {
    const { resumed, recv, token } = (result ?? {}) as Record<string, unknown>
    if (resumed === true && this.#kept) {
      this.#trim(recv)
      this.#again = [...this.#kept]
      return
    }
    this.#lose()
    this.#kept = token === undefined ? undefined : []
    this.#acknowledged = 0
  }

  #trim(recv: unknown): void {
    if (!Number.isInteger(recv)) return
    this.#kept?.splice(0, (recv as number) - this.#acknowledged)
    this.#acknowledged = recv as number
  }

  #lose(): void {
    for (const row of this.#open.values()) this.#end(row, 'lost')
    this.#open.clear()
  }

  // ── Rows ──────────────────────────────────────────────────────────────────────────────────────

  #take(direction: Direction, read: Message, passed: RowMessage): Draft | undefined {
    const { method, id } = read
    if (typeof method !== 'string') return this.#answered(direction, read, passed)
    const speaker = WORDS.get(method)
    if (speaker) {
      const caller = speaker === 'caller' ? direction : opposite(direction)
      return this.#word(caller, method, read, passed)
    }
    if (id === undefined) return this.#notified(direction, method, read, passed)
    return this.#called(direction, method, read, passed)
  }

  #called(direction: Direction, method: string, read: Message, passed: RowMessage) {
    const isOwn = read.id === HELLO_ID
    const kind = isOwn ? 'protocol' : read.rpc?.credit === undefined ? 'call' : 'stream'
    const row = this.#begin({ kind, direction, method, params: paramsOf(passed) }, passed)
    if (row) this.#open.set(openKey(direction, read.id), row)
    return row
  }

  #answered(direction: Direction, read: Message, passed: RowMessage): Draft | undefined {
    const key = openKey(opposite(direction), read.id)
    const row = this.#open.get(key)
    const isError = 'error' in read
    if (row) {
      this.#open.delete(key)
      this.#add(row, passed)
      const answer = passed.message as Message
      row.answer = isError ? { error: answer.error } : { result: answer.result }
      if (row.outcome === 'pending') this.#end(row, isError ? 'error' : 'done')
    }
    if (read.id === HELLO_ID && direction === 'in') this.#welcomed(read.result)
    if (row || this.isPaused) return row
    if (!isError && !('result' in read)) return this.#unreadable(direction, passed)
    return undefined
  }

  #word(caller: Direction, method: string, read: Message, passed: RowMessage): Draft | undefined {
    const { id, value } = (read.params ?? {}) as { id?: unknown; value?: unknown }
    const row = this.#open.get(openKey(caller, id))
    if (!row) return undefined
    this.#add(row, passed)
    if (method === 'rpc.item' || method === 'rpc.input') row.items++
    else if (method === 'rpc.progress') row.progress = value
    else if (CANCELS.has(method)) this.#end(row, 'given up')
    return row
  }

  #notified(direction: Direction, method: string, read: Message, passed: RowMessage) {
    if (method === 'rpc.ack' && direction === 'in') this.#trim((read.params as unknown[])?.[0])
    const kind = method.startsWith('rpc.') ? 'protocol' : 'notification'
    const row = this.#begin({ kind, direction, method, params: paramsOf(passed) }, passed)
    if (row) this.#end(row, 'done')
    return row
  }

  #unreadable(direction: Direction, passed: RowMessage): Draft | undefined {
    const method = 'no message'
    const row = this.#begin({ kind: 'unreadable', direction, method, params: undefined }, passed)
    if (row) this.#end(row, 'error')
    return row
  }

  #begin(
    what: Pick<Row, 'kind' | 'direction' | 'method' | 'params'>,
    passed: RowMessage,
  ): Draft | undefined {
    if (this.isPaused) return undefined
    const row: Draft = {
      key: ++this.#key,
      ...what,
      outcome: 'pending',
      startedAt: passed.at,
      durationMs: null,
      bytes: 0,
      answer: null,
      progress: undefined,
      items: 0,
      resent: 0,
      messages: [],
      messagesLeftOut: 0,
    }
    this.#begunAt.set(row, performance.now())
    this.#add(row, passed)
    this.#drafts.push(row)
    if (this.#drafts.length > MOST_ROWS) {
      this.#drafts.shift()
      this.#dropped++
    }
    return row
  }

  #add(row: Draft, passed: RowMessage): void {
    row.bytes += passed.bytes
    row.messages.push(passed)
    if (row.messages.length > FIRST_MESSAGES + NEWEST_MESSAGES) {
      row.messages.splice(FIRST_MESSAGES, 1)
      row.messagesLeftOut++
    }
    this.#told.delete(row)
  }

  #end(row: Draft, outcome: Exclude<Outcome, 'pending'>): void {
    row.outcome = outcome
    row.durationMs = Math.round(performance.now() - (this.#begunAt.get(row) ?? 0))
    this.#told.delete(row)
  }
}

function asMessage(value: unknown): Message | undefined {
  const isObject = typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)
  return isObject ? (value as Message) : undefined
}

function openKey(caller: Direction, id: unknown): string {
  return `${caller} ${JSON.stringify(id)}`
}

function opposite(direction: Direction): Direction {
  return direction === 'out' ? 'in' : 'out'
}

function paramsOf({ message }: RowMessage): unknown {
  return (message as Message).params
}

/** A message without what it carries. */
function abridged(message: unknown, bytes: number): unknown {
  const read = asMessage(message)
  if (!read) return new LeftOut(bytes)
  const abridged: Record<string, unknown> = { ...read }
  for (const carrier of ['params', 'result', 'error']) {
    if (carrier in abridged) abridged[carrier] = new LeftOut(bytes)
  }
  return abridged
}
