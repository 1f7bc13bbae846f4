import {
  type AnyClient,
  createClient,
  type HandlerContext,
  type Outcome,
  RpcAbortedError,
  RpcDisconnectedError,
  RpcError,
  RpcOverloadedError,
  RpcTimeoutError,
} from '@flashrpc/core'
import { vi } from 'vitest'
import { settled } from '../support/raw-end.js'
import { ServerProcess } from './server.js'
import { Wire } from './wire.js'

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
  /** The process that made it was killed: nobody hears how it ends. */
  isOrphan: boolean
}

type Ending = 'value' | 'handler-error' | Outcome | 'unexpected'

/** What both sides can call. */
interface Calls {
  run(params: { key: number }): number
  quick(params: { key: number }): number
}

/** How long a session outlives its connection, in ms. */
const WINDOW_MS = 1_000
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
      timeout: Number.POSITIVE_INFINITY,
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
    }
  }

  // ── What can happen ───────────────────────────────────────────────────────────────────────────

  call(by: Seen['by'], method: 'run' | 'quick', hasTimeout: boolean): void {
    const channel = by === 'client' ? this.#client : [...this.#server.channels][0]
    if (!channel) return
    const key = this.calls.length
    const abort = new AbortController()
    const call: Seen = { key, by, abort, starts: 0, ends: [], finish: undefined, isOrphan: false }
    this.calls.push(call)
    const timeout = hasTimeout ? { timeout: TIMEOUT_MS } : {}
    channel.call(method, { key }, { signal: abort.signal, ...timeout }).then(
      (value: unknown) => call.ends.push(value === key ? 'value' : 'unexpected'),
      (error: unknown) => call.ends.push(endingOf(error)),
    )
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

function endingOf(error: unknown): Ending {
  if (error instanceof RpcError && error.code === 1) return 'handler-error'
  const isOurs =
    error instanceof RpcDisconnectedError ||
    error instanceof RpcTimeoutError ||
    error instanceof RpcAbortedError ||
    error instanceof RpcOverloadedError
  return isOurs ? error.outcome : 'unexpected'
}
