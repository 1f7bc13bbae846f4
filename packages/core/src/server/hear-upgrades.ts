import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { RpcConfigError } from '../errors.js'
import { isPath, refuseUpgrade } from './upgrade.js'

/** Who serves a path. */
export interface Hearer {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Whether it is about to leave: then another may take its place. */
  isLeaving(): boolean
}

/**
 * How long an upgrade waits that nobody listens for, in ms. Development servers add their listeners a little after
 * they listen, and browsers come back to them at once after a restart. It is no longer, since Chromium opens one
 * WebSocket to an address at a time.
 */
const HOLD_MS = 3_000
/** How many wait at the most; others are refused at once. */
const MOST_HELD = 100

const upgradesOf = new WeakMap<Server, Upgrades>()

/**
 * Hears the upgrades to a path of an HTTP server, and nobody else does: other libraries answer what is not theirs, with
 * 400, or end it after a while. Upgrades to other paths are left to others. Where there are none but endpoints, they
 * wait for a listener, and are answered 404.
 *
 * @param isShared whether others may listen there, too.
 * @returns hears no more.
 * @throws {RpcConfigError} where the path is served already.
 */
export function hearUpgrades(
  server: Server,
  path: string,
  hearer: Hearer,
  isShared: boolean,
): () => void {
  let upgrades = upgradesOf.get(server)
  if (!upgrades) {
    upgrades = new Upgrades(server, isShared ? HOLD_MS : 0)
    upgradesOf.set(server, upgrades)
  }
  return upgrades.hear(path, hearer)
}

interface Held {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  /** Ends the waiting. */
  readonly release: () => void
}

/** The upgrades of one server, for all endpoints on it. */
class Upgrades {
  readonly #server: Server
  readonly #holdMs: number
  readonly #hearers = new Map<string, Hearer>()
  readonly #held = new Set<Held>()
  /** Takes the place of the server's `emit`, and what was there before. */
  #wrapped: { readonly emit: Server['emit']; readonly before: Server['emit'] } | undefined

  constructor(server: Server, holdMs: number) {
    this.#server = server
    this.#holdMs = holdMs
  }

  hear(path: string, hearer: Hearer): () => void {
    const other = this.#hearers.get(path)
    if (other && !other.isLeaving()) {
      throw new RpcConfigError(
        `An endpoint serves ${path} on this server already; choose another path`,
      )
    }
    if (this.#hearers.size === 0) this.#begin()
    this.#hearers.set(path, hearer)
    this.#handOver(({ request }) => isPath(request, path))
    return () => {
      // Another may have taken its place.
      if (this.#hearers.get(path) !== hearer) return
      this.#hearers.delete(path)
      if (this.#hearers.size === 0) this.#end()
    }
  }

  #begin(): void {
    const server = this.#server
    // Without a listener, Node emits no upgrades at all.
    server.on('upgrade', this.#onUnheard)
    server.on('newListener', this.#onNewListener)
    if (this.#wrapped) return
    const before = server.emit
    const emit = (event: string, ...args: unknown[]): boolean => {
      if (event === 'upgrade') {
        const [request, socket, head] = args as [IncomingMessage, Duplex, Buffer]
        const hearer = this.#hearerOf(request)
        if (hearer) {
          hearer.upgrade(request, socket, head)
          return true
        }
      }
      return Reflect.apply(before, server, [event, ...args])
    }
    this.#wrapped = { emit: emit as Server['emit'], before }
    server.emit = this.#wrapped.emit
  }

  #end(): void {
    const server = this.#server
    server.off('upgrade', this.#onUnheard)
    server.off('newListener', this.#onNewListener)
    for (const held of [...this.#held]) this.#refuse(held)
    // Whoever has wrapped it since goes on calling ours, which passes all on.
    if (!this.#wrapped || server.emit !== this.#wrapped.emit) return
    const { before } = this.#wrapped
    this.#wrapped = undefined
    if (before === Object.getPrototypeOf(server).emit) delete (server as { emit?: unknown }).emit
    else server.emit = before
  }

  #hearerOf(request: IncomingMessage): Hearer | undefined {
    for (const [path, hearer] of this.#hearers) if (isPath(request, path)) return hearer
    return undefined
  }

  readonly #onUnheard = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const isAnybodys = this.#server.listeners('upgrade').some((one) => one !== this.#onUnheard)
    if (isAnybodys) return
    socket.on('error', () => {})
    const timer = setTimeout(() => this.#refuse(held), this.#holdMs)
    timer.unref()
    const release = (): void => {
      clearTimeout(timer)
      socket.off('close', release)
      this.#held.delete(held)
    }
    const held: Held = { request, socket, head, release }
    if (this.#holdMs === 0 || this.#held.size >= MOST_HELD) return this.#refuse(held)
    this.#held.add(held)
    socket.once('close', release)
  }

  readonly #onNewListener = (event: string): void => {
    // It is told before the listener is there.
    if (event === 'upgrade') this.#handOver(() => true)
  }

  #handOver(isWanted: (held: Held) => boolean): void {
    const wanted = [...this.#held].filter(isWanted)
    for (const { release } of wanted) release()
    if (wanted.length === 0) return
    queueMicrotask(() => {
      for (const { request, socket, head } of wanted) {
        this.#server.emit('upgrade', request, socket, head)
      }
    })
  }

  #refuse({ socket, release }: Held): void {
    release()
    const paths = [...this.#hearers.keys()].join(', ')
    refuseUpgrade(socket, 404, `There is no WebSocket here${paths && `; try ${paths}`}\n`)
  }
}
