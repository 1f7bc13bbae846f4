import { memoryOf } from './memory.js'
import { LeftOut, type ReadMessage } from './message-reader.js'
import type { Direction, Outcome, Row, RowMessage } from './row.js'

/** The most rows that are kept. */
const MOST_ROWS = 1_000
/** Of a row's messages, so many of the first and of the newest are kept. */
const FIRST_MESSAGES = 20
const NEWEST_MESSAGES = 30
/** The most memory that all rows may take, in bytes; it is estimated. */
const MOST_MEMORY = 16 * 1024 * 1024
/** The most memory that the messages of one row may take, in bytes. */
const MOST_MEMORY_OF_ROW = MOST_MEMORY / 4
/** The params, result or error of a message that takes more bytes than this are not kept. */
const MOST_MEMORY_OF_MESSAGE = MOST_MEMORY / 32
/** How many bytes a row, and a message in it, take besides their content. */
const MEMORY_OF_ROW = 1_024
const MEMORY_OF_MESSAGE = 128
/**
 * The most characters of a name and of an id. Longer names are shortened; messages with longer ids are ignored, as no
 * peer may send one.
 */
const LONGEST_NAME = 256

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

/** A row in the book. */
interface Entry {
  readonly row: Draft
  /** The row as it was told last, if it has not changed since. */
  told: Row | undefined
  /** By `performance.now()`, so that a wall clock that is set does not change how long it took. */
  readonly begunAt: number
  /** How much memory each of its messages takes, in bytes, in their order. */
  readonly memories: number[]
  /** How much memory the whole row takes, in bytes. */
  memory: number
  /** Its key in `#open`. */
  openKey: string | undefined
  isDropped: boolean
}

/**
 * Makes rows of messages: which belong to one call, which are written again after a resume, and what became of
 * it. Bounded, in rows and in memory: the oldest rows are dropped, and counted.
 */
export class RowBook {
  /** Whether no new rows are made; those there are go on. */
  isPaused = false
  #entries: Entry[] = []
  /** How much memory all rows take, in bytes. */
  #memory = 0
  #key = 0
  #dropped = 0
  /** Calls that are not answered, by who calls and their id. */
  readonly #open = new Map<string, Entry>()
  /** The rows of messages that the server has not acknowledged, in order; undefined without a session. */
  #kept: (Entry | undefined)[] | undefined
  #acknowledged = 0
  /** Those of them that are written again on the connection that goes on with the session. */
  #again: (Entry | undefined)[] = []
  readonly #isCounted: (message: unknown) => boolean

  /** @param isCounted whether a message has a number in a session. */
  constructor(isCounted: (message: unknown) => boolean) {
    this.#isCounted = isCounted
  }

  get dropped(): number {
    return this.#dropped
  }

  rows(): readonly Row[] {
    return this.#entries.map((entry) => {
      entry.told ??= { ...entry.row, messages: [...entry.row.messages] }
      return entry.told
    })
  }

  /** It begins within a session, of which it has seen nothing. */
  joinSession({ sent, acknowledged }: { sent: number; acknowledged: number }): void {
    this.#kept = Array.from({ length: sent - acknowledged }, () => undefined)
    this.#acknowledged = acknowledged
  }

  write(direction: Direction, { message, bytes }: ReadMessage): void {
    const read = asMessage(message)
    const memory = Math.max(bytes, memoryOf(message, MOST_MEMORY_OF_MESSAGE))
    const isLarge = memory > MOST_MEMORY_OF_MESSAGE
    const passed: RowMessage = {
      at: Date.now(),
      direction,
      bytes,
      message: isLarge ? abridged(message, bytes) : message,
    }
    const isNumbered = direction === 'out' && this.#isCounted(message)
    if (isNumbered && this.#isAgain(passed)) return
    const entry = read ? this.#take(direction, read, passed) : this.#unreadable(direction, passed)
    if (isNumbered) this.#kept?.push(entry)
  }

  /** Without a session, what was open ends with its connection. */
  connectionEnded(): void {
    this.#again = []
    if (!this.#kept) this.#lose()
  }

  clear(): void {
    for (const entry of this.#entries.splice(0)) this.#empty(entry)
    this.#dropped = 0
  }

  // ── Sessions ──────────────────────────────────────────────────────────────────────────────────

  /** Whether a message was written before, on an earlier connection. */
  #isAgain(passed: RowMessage): boolean {
    if (this.#again.length === 0) return false
    const entry = this.#again.shift()
    if (entry && !entry.isDropped) {
      entry.row.resent++
      this.#add(entry, passed)
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
    for (const entry of this.#open.values()) this.#end(entry, 'lost')
    this.#open.clear()
  }

  // ── Rows ──────────────────────────────────────────────────────────────────────────────────────

  #take(direction: Direction, read: Message, passed: RowMessage): Entry | undefined {
    const { id } = read
    if (typeof id === 'string' && id.length > LONGEST_NAME) {
      return this.#unreadable(direction, passed)
    }
    if (typeof read.method !== 'string') return this.#answered(direction, read, passed)
    const method = shortened(read.method)
    const speaker = WORDS.get(method)
    if (speaker) {
      const caller = speaker === 'caller' ? direction : opposite(direction)
      return this.#word(caller, method, read, passed)
    }
    if (id === undefined) return this.#notified(direction, method, passed)
    return this.#called(direction, method, read, passed)
  }

  #called(direction: Direction, method: string, read: Message, passed: RowMessage) {
    const isOwn = read.id === HELLO_ID
    const kind = isOwn ? 'protocol' : read.rpc?.credit === undefined ? 'call' : 'stream'
    const entry = this.#begin({ kind, direction, method, params: messageOf(passed).params }, passed)
    if (entry && !entry.isDropped) {
      entry.openKey = openKey(direction, read.id)
      this.#open.set(entry.openKey, entry)
    }
    return entry
  }

  #answered(direction: Direction, read: Message, passed: RowMessage): Entry | undefined {
    const key = openKey(opposite(direction), read.id)
    const entry = this.#open.get(key)
    const isError = 'error' in read
    if (entry) {
      this.#open.delete(key)
      const { row } = entry
      const { error, result } = messageOf(passed)
      row.answer = isError ? { error } : { result }
      if (row.outcome === 'pending') this.#end(entry, isError ? 'error' : 'done')
      this.#add(entry, passed)
    }
    if (read.id === HELLO_ID && direction === 'in') this.#welcomed(read.result)
    if (entry || this.isPaused) return entry
    if (!isError && !('result' in read)) return this.#unreadable(direction, passed)
    return undefined
  }

  #word(caller: Direction, method: string, read: Message, passed: RowMessage): Entry | undefined {
    const { id } = (read.params ?? {}) as { id?: unknown }
    const entry = this.#open.get(openKey(caller, id))
    if (!entry) return undefined
    const { row } = entry
    if (method === 'rpc.item' || method === 'rpc.input') row.items++
    else if (method === 'rpc.progress') this.#progressed(entry, messageOf(passed).params)
    else if (CANCELS.has(method)) this.#end(entry, 'given up')
    this.#add(entry, passed)
    return entry
  }

  #progressed(entry: Entry, params: unknown): void {
    const { row } = entry
    const value = params instanceof LeftOut ? params : (params as { value?: unknown }).value
    // It is kept longer than its message, so it counts separately.
    this.#takeMemory(entry, memoryOf(value) - memoryOf(row.progress))
    row.progress = value
  }

  #notified(direction: Direction, method: string, passed: RowMessage) {
    const { params } = messageOf(passed)
    if (method === 'rpc.ack' && direction === 'in') this.#trim((params as unknown[])?.[0])
    const kind = method.startsWith('rpc.') ? 'protocol' : 'notification'
    const entry = this.#begin({ kind, direction, method, params }, passed)
    if (entry) this.#end(entry, 'done')
    return entry
  }

  #unreadable(direction: Direction, passed: RowMessage): Entry | undefined {
    const method = 'no message'
    const entry = this.#begin({ kind: 'unreadable', direction, method, params: undefined }, passed)
    if (entry) this.#end(entry, 'error')
    return entry
  }

  #begin(
    what: Pick<Row, 'kind' | 'direction' | 'method' | 'params'>,
    passed: RowMessage,
  ): Entry | undefined {
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
    const entry: Entry = {
      row,
      told: undefined,
      begunAt: performance.now(),
      memories: [],
      memory: MEMORY_OF_ROW,
      openKey: undefined,
      isDropped: false,
    }
    this.#memory += MEMORY_OF_ROW
    this.#entries.push(entry)
    this.#add(entry, passed)
    return entry
  }

  #add(entry: Entry, passed: RowMessage): void {
    const { row, memories } = entry
    row.bytes += passed.bytes
    row.messages.push(passed)
    // Parts of it were left out, so only the rest counts.
    const memory = MEMORY_OF_MESSAGE + memoryOf(passed.message)
    memories.push(memory)
    this.#takeMemory(entry, memory)
    while (row.messages.length > FIRST_MESSAGES + NEWEST_MESSAGES || this.#isTooLarge(entry)) {
      const place = Math.min(FIRST_MESSAGES, row.messages.length - 2)
      row.messages.splice(place, 1)
      this.#takeMemory(entry, -(memories.splice(place, 1)[0] ?? 0))
      row.messagesLeftOut++
    }
    entry.told = undefined
    while (this.#entries.length > MOST_ROWS || this.#memory > MOST_MEMORY) this.#dropOldest()
  }

  /** The first and the newest message of a row are always kept: each is small enough. */
  #isTooLarge({ row, memory }: Entry): boolean {
    return row.messages.length > 2 && memory > MOST_MEMORY_OF_ROW
  }

  #takeMemory(entry: Entry, bytes: number): void {
    entry.memory += bytes
    this.#memory += bytes
  }

  #dropOldest(): void {
    const oldest = this.#entries.shift()
    if (!oldest) return
    this.#empty(oldest)
    this.#dropped++
  }

  /** Drops the content of a row that was removed: the session may still refer to its messages. */
  #empty(entry: Entry): void {
    const { row, memory, openKey } = entry
    this.#memory -= memory
    entry.isDropped = true
    entry.told = undefined
    entry.memories.length = 0
    row.messages.length = 0
    row.params = row.answer = null
    row.progress = undefined
    if (openKey !== undefined && this.#open.get(openKey) === entry) this.#open.delete(openKey)
  }

  #end(entry: Entry, outcome: Exclude<Outcome, 'pending'>): void {
    entry.row.outcome = outcome
    entry.row.durationMs = Math.round(performance.now() - entry.begunAt)
    entry.told = undefined
  }
}

function asMessage(value: unknown): Message | undefined {
  const isObject = typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)
  return isObject ? (value as Message) : undefined
}

function openKey(caller: Direction, id: unknown): string {
  return `${caller} ${typeof id} ${typeof id === 'string' || typeof id === 'number' ? id : ''}`
}

function opposite(direction: Direction): Direction {
  return direction === 'out' ? 'in' : 'out'
}

/** The part of a message that is kept. */
function messageOf({ message }: RowMessage): Message {
  return message as Message
}

function shortened(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name
}

/** A message without what it carries. */
function abridged(message: unknown, bytes: number): unknown {
  const read = asMessage(message)
  if (!read) return new LeftOut(bytes)
  const abridged: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(read)) {
    const isCarrier = name === 'params' || name === 'result' || name === 'error'
    if (isCarrier) abridged[name] = new LeftOut(bytes)
    else if (MEMBERS.has(name)) abridged[name] = isLong(value) ? new LeftOut(bytes) : value
  }
  return abridged
}

/** The members that are kept besides params, result and error; all others are dropped. */
const MEMBERS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'rpc'])

function isLong(value: unknown): boolean {
  return memoryOf(value, 4_096) > 4_096
}
