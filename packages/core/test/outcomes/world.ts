import {
  type AnyClient,
  createClient,
  type HandlerContext,
  type Outcome,
  RpcAbortedError,
  RpcConfigError,
  RpcDisconnectedError,
  RpcError,
  RpcOverloadedError,
  RpcTimeoutError,
} from '@flashrpc/core'
import { vi } from 'vitest'
import { settled } from '../support/raw-end.js'
import { ServerProcess } from './server.js'
import { Wire } from './wire.js'

/** A call's stream, seen from above: its items are 0, 1, 2 and so on. */
export interface SeenStream {
  /** How many items its source gives. */
  readonly upTo: number
  /** What came out at the other end. */
  readonly items: number[]
  /** What was said of how many came, when it was cut off. */
  toldItems: number | undefined
  /** Whether the source was begun, and how often its `finally` ran. */
  isBegun: boolean
  finallys: number
}

/** A call, seen from above. */
interface Seen {
  readonly key: number
  readonly by: 'client' | 'server'
  readonly abort: AbortController
  /** How often its handler was started. */
  starts: number
  /** How it ended, each time that it did. */
  readonly ends: Ending[]
  /** Lets its handler answer. */
  finish: ((how: 'value' | 'error') => void) | undefined
  /** The stream that answers it, or goes along with it. */
  readonly stream: SeenStream | undefined
  /** The process that made it was killed: nobody hears how it ends. */
  isOrphan: boolean
}

export type Ending = 'value' | 'handler-error' | 'left' | Outcome | 'unexpected'

/** What both sides can call. */
interface Calls {
  run(params: { key: number }): number
  quick(params: { key: number }): number
  /** A stream. */
  give(params: { key: number }): AsyncIterable<number>
  /** Takes one, and says how many items it had. */
  take(params: { key: number }): number
}

/** How long a session outlives its connection, in ms. */
const WINDOW_MS = 1_000
/** So few items come ahead, that credit is given all the time. */
const STREAM_ITEMS = 2
/** How long a call waits that has a timeout. */
const TIMEOUT_MS = 300

/**
 * A client, a server that may be killed or leave, and the connections between them. Whatever happens
 * is done by hand, one thing after the other; time passes when it is told to.
 */
export class World {
  readonly calls: Seen[] = []
  /** By the channel they came over, the keys of calls in the order in which they were started. */
  readonly started = new Map<string, number[]>()
  readonly #level: 0 | 1
  readonly #client: AnyClient
  readonly #wires: Wire[] = []
  readonly #leaving: ServerProcess[] = []
  #server: ServerProcess
  #refuses = false

  constructor(level: 0 | 1) {
    this.#level = level
    this.#server = this.#startServer()
    this.#client = createClient<Calls, Calls>({
      transport: () => this.#connect(),
      retry: { minDelayMs: 10, maxDelayMs: 40 },
      heartbeat: false,
      logger: false,
      timeout: Number.POSITIVE_INFINITY,
      limits: { streamItems: STREAM_ITEMS },
      methods: this.#methods('server'),
    })
  }

  #startServer(): ServerProcess {
    return new ServerProcess(this.#methods('client'), this.#level === 1 ? WINDOW_MS : undefined)
  }

  #connect() {
    if (this.#refuses) throw new Error('There is nobody')
    const wire = new Wire()
    this.#wires.push(wire)
    this.#server.accept(wire.server)
    return wire.client
  }

  #methods(by: Seen['by']) {
    const start = (key: number, channel: unknown): Seen => {
      const call = this.calls[key] as Seen
      call.starts++
      // The client's own channel is there for all sessions; the server's is one for each.
      if (by === 'client') {
        const { id } = channel as { id: string }
        this.started.set(id, [...(this.started.get(id) ?? []), key])
      }
      return call
    }
    return {
      run: ({ key }: { key: number }, { channel }: HandlerContext) =>
        new Promise<number>((resolve, reject) => {
          start(key, channel).finish = (how) =>
            how === 'value' ? resolve(key) : reject(new RpcError(1, 'of the handler'))
        }),
      quick: async ({ key }: { key: number }, { channel }: HandlerContext) =>
        start(key, channel).key,
      give: ({ key }: { key: number }, { channel }: HandlerContext) => {
        const { stream } = start(key, channel)
        return sourceOf(stream as SeenStream)
      },
      take: async ({ key }: { key: number }, { channel, input }: HandlerContext) => {
        const { items } = start(key, channel).stream as SeenStream
        for await (const n of input as AsyncIterable<number>) items.push(n)
        return key
      },
    }
  }

  // ── What can happen ───────────────────────────────────────────────────────────────────────────

  call(by: Seen['by'], method: 'run' | 'quick', hasTimeout: boolean): void {
    const channel = this.#channel(by)
    if (!channel) return
    const call = this.#see(by)
    const { key } = call
    channel.call(method, { key }, optionsOf(call, hasTimeout)).then(
      (value: unknown) => call.ends.push(value === key ? 'value' : 'unexpected'),
      (error: unknown) => call.ends.push(endingOf(error)),
    )
  }

  /** Takes a stream, and leaves it after so many items, if it comes to that. */
  take(by: Seen['by'], upTo: number, leaveAt: number | null, hasTimeout: boolean): void {
    const channel = this.#channel(by)
    if (!channel) return
    const call = this.#see(by, upTo)
    const { key, stream } = call
    const { items } = stream as SeenStream
    const take = async (): Promise<Ending> => {
      for await (const n of channel.stream('give', { key }, optionsOf(call, hasTimeout))) {
        items.push(n as number)
        if (items.length === leaveAt) return 'left'
      }
      return 'value'
    }
    take().then(
      (ending) => call.ends.push(ending),
      (error: unknown) => {
        if (error instanceof RpcDisconnectedError) (stream as SeenStream).toldItems = error.items
        call.ends.push(endingOf(error))
      },
    )
  }

  /** Sends a stream along with a call. */
  give(by: Seen['by'], upTo: number, hasTimeout: boolean): void {
    const channel = this.#channel(by)
    if (!channel) return
    const call = this.#see(by, upTo)
    const { key } = call
    const input = sourceOf(call.stream as SeenStream)
    channel.call('take', { key }, { input, ...optionsOf(call, hasTimeout) }).then(
      (value: unknown) => call.ends.push(value === key ? 'value' : 'unexpected'),
      (error: unknown) => call.ends.push(endingOf(error)),
    )
  }

  #channel(by: Seen['by']) {
    return by === 'client' ? this.#client : [...this.#server.channels][0]
  }

  #see(by: Seen['by'], upTo?: number): Seen {
    const stream =
      upTo === undefined
        ? undefined
        : { upTo, items: [], toldItems: undefined, isBegun: false, finallys: 0 }
    const call: Seen = {
      key: this.calls.length,
      by,
      abort: new AbortController(),
      starts: 0,
      ends: [],
      finish: undefined,
      stream,
      isOrphan: false,
    }
    this.calls.push(call)
    return call
  }

  abort(nth: number): void {
    this.#nth(nth)?.abort.abort()
  }

  finish(nth: number, how: 'value' | 'error'): void {
    this.#nth(nth)?.finish?.(how)
  }

  deliver(nth: number, way: 'up' | 'down', count: number): void {
    this.#wire(nth)?.deliver(way, count)
  }

  cut(nth: number, lostUp: number, lostDown: number): void {
    this.#wire(nth)?.cut(lostUp, lostDown)
  }

  /** A side finds out, or believes, that a connection is gone. */
  lose(nth: number, side: 'client' | 'server'): void {
    this.#wire(nth)?.[side].lose()
  }

  /** What the server has answered before is on its way once more. */
  duplicate(nth: number): void {
    const wire = this.#wire(nth)
    const call = this.#nth(nth)
    if (!wire || wire.isCut || this.#level === 1 || !call) return
    const ids = this.calls.filter(({ by }) => by === 'client')
    const answer = { jsonrpc: '2.0', id: ids.indexOf(call) + 1, result: 'twice' }
    // An id that was answered, or given up: nobody waits for it.
    if (call.by === 'client' && call.ends.length > 0) {
      wire.down.push({ frame: JSON.stringify(answer) })
    }
  }

  reconnect(): void {
    this.#client.reconnect()
  }

  close(): void {
    void this.#client.close()
  }

  /** Nobody can connect for now; or again. */
  refuse(refuses: boolean): void {
    this.#refuses = refuses
  }

  /** The server's process is killed, and another one started. */
  kill(): void {
    for (const call of this.calls) if (call.by === 'server') call.isOrphan = true
    for (const wire of this.#wires) {
      wire.cut(0, 0)
      // What it has not read dies with it.
      wire.up.length = 0
      wire.server.lose()
    }
    this.#server.end()
    for (const server of this.#leaving.splice(0)) server.end()
    this.#server = this.#startServer()
  }

  /** The server leaves, and another one takes its place. */
  drain(): void {
    const server = this.#server
    this.#leaving.push(server)
    this.#server = this.#startServer()
    server.leave()
  }

  async pass(ms: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms)
  }

  // ── The end ───────────────────────────────────────────────────────────────────────────────────

  /** No further faults: everything arrives, every handler answers, and all is closed. */
  async rest(): Promise<void> {
    this.#refuses = false
    for (let round = 0; round < 400 && !this.#isAtRest(); round++) {
      for (const wire of this.#wires) {
        if (wire.isCut) {
          wire.deliver('up', Number.POSITIVE_INFINITY)
          wire.deliver('down', Number.POSITIVE_INFINITY)
          wire.client.lose()
          wire.server.lose()
        } else {
          wire.deliver('up', 3)
          wire.deliver('down', 3)
        }
      }
      for (const call of this.calls) call.finish?.('value')
      for (const server of [...this.#leaving]) {
        if (server.left()) this.#leaving.splice(this.#leaving.indexOf(server), 1)
      }
      await settled()
      await this.pass(20)
    }
  }

  #isAtRest(): boolean {
    return this.calls.every(({ ends, isOrphan }) => isOrphan || ends.length > 0)
  }

  async end(): Promise<void> {
    await this.#client.close()
    for (const server of [this.#server, ...this.#leaving]) server.end()
    await settled()
    // What a closed session still counts down to.
    await this.pass(100)
  }

  #nth(nth: number): Seen | undefined {
    return this.calls.length === 0 ? undefined : this.calls[nth % this.calls.length]
  }

  /** The newest first. */
  #wire(nth: number): Wire | undefined {
    return this.#wires.at(-1 - (nth % Math.max(1, this.#wires.length)))
  }
}

function optionsOf({ abort: { signal } }: Seen, hasTimeout: boolean) {
  return { signal, ...(hasTimeout && { timeout: TIMEOUT_MS }) }
}

async function* sourceOf(stream: SeenStream): AsyncGenerator<number, void, undefined> {
  stream.isBegun = true
  try {
    for (let n = 0; n < stream.upTo; n++) yield n
  } finally {
    stream.finallys++
  }
}

function endingOf(error: unknown): Ending {
  if (error instanceof RpcError && error.code === 1) return 'handler-error'
  // Who has not said hello in time is taken for a plain peer, which knows no streams.
  if (error instanceof RpcConfigError) return 'not-sent'
  const isOurs =
    error instanceof RpcDisconnectedError ||
    error instanceof RpcTimeoutError ||
    error instanceof RpcAbortedError ||
    error instanceof RpcOverloadedError
  return isOurs ? error.outcome : 'unexpected'
}
