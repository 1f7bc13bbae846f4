import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { RpcConfigError } from '../errors/errors.js'
import { pathOf, refuseUpgrade } from './upgrade.js'

/** Serves the upgrades to one path. */
export interface UpgradeListener {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** An upgrade to a path that is not served was refused. @param paths the paths that are served. */
  notFound(request: IncomingMessage, paths: string): void
  /** Whether its endpoint is being closed. Then another listener may take the path. */
  isLeaving(): boolean
}

/**
 * How long, in ms, an upgrade waits if no listener takes it. Development servers add their listeners a little after
 * they begin to listen, and browsers reconnect to them at once after a restart. It is not longer because Chromium opens
 * only one WebSocket to an address at a time.
 */
const HOLD_MS = 3_000
/** The most upgrades that wait. Further ones are refused at once. */
const MAX_HELD = 100

const upgradesOf = new WeakMap<Server, Upgrades>()

/**
 * Takes the upgrades to one path of an HTTP server, so that other listeners do not get them: other libraries answer
 * unknown upgrades with 400, or end them after a while. Upgrades to other paths go to the other listeners. If there are
 * only endpoints, they wait for a listener, and are then answered 404.
 *
 * @param isShared whether others may listen on this server, too.
 * @returns a function that stops taking them.
 * @throws {RpcConfigError} if the path is served already.
 */
export function listenForUpgrades(
  server: Server,
  path: string,
  listener: UpgradeListener,
  isShared: boolean,
): () => void {
  let upgrades = upgradesOf.get(server)
  if (!upgrades) {
    upgrades = new Upgrades(server, isShared ? HOLD_MS : 0)
    upgradesOf.set(server, upgrades)
  }
  return upgrades.add(path, listener)
}

interface Held {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  /** Stops the timer of the wait. */
  readonly release: () => void
}

/** All upgrades of one server, for all endpoints on it. */
class Upgrades {
  readonly #server: Server
  readonly #holdMs: number
  readonly #listeners = new Map<string, UpgradeListener>()
  readonly #held = new Set<Held>()
  /** The function that replaces the server's `emit`, and the former one. */
  #wrapped: { readonly emit: Server['emit']; readonly before: Server['emit'] } | undefined

  constructor(server: Server, holdMs: number) {
    this.#server = server
    this.#holdMs = holdMs
  }

  add(path: string, listener: UpgradeListener): () => void {
    const other = this.#listeners.get(path)
    if (other && !other.isLeaving()) {
      throw new RpcConfigError(
        `An endpoint serves ${path} on this server already. Choose another path`,
      )
    }
    if (this.#listeners.size === 0) this.#begin()
    this.#listeners.set(path, listener)
    this.#handOver(({ request }) => pathOf(request) === path)
    return () => {
      // Another endpoint may have taken the path since then.
      if (this.#listeners.get(path) !== listener) return
      this.#listeners.delete(path)
      if (this.#listeners.size === 0) this.#end()
    }
  }

  #begin(): void {
    const server = this.#server
    // Without a listener, Node emits no upgrades.
    server.on('upgrade', this.#onUnserved)
    server.on('newListener', this.#onNewListener)
    if (this.#wrapped) return
    const before = server.emit
    const emit = (event: string, ...args: unknown[]): boolean => {
      if (event === 'upgrade') {
        const [request, socket, head] = args as [IncomingMessage, Duplex, Buffer]
        const listener = this.#listenerOf(request)
        if (listener) {
          listener.upgrade(request, socket, head)
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
    server.off('upgrade', this.#onUnserved)
    server.off('newListener', this.#onNewListener)
    for (const held of [...this.#held]) this.#refuse(held)
    // If another library has wrapped `emit` since, it still calls ours, which passes everything on.
    if (!this.#wrapped || server.emit !== this.#wrapped.emit) return
    const { before } = this.#wrapped
    this.#wrapped = undefined
    if (before === Object.getPrototypeOf(server).emit) delete (server as { emit?: unknown }).emit
    else server.emit = before
  }

  #listenerOf(request: IncomingMessage): UpgradeListener | undefined {
    for (const [path, listener] of this.#listeners) if (pathOf(request) === path) return listener
    return undefined
  }

  /** Called for upgrades that no endpoint of this server serves. */
  readonly #onUnserved = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const isShared = this.#server.listeners('upgrade').some((one) => one !== this.#onUnserved)
    if (isShared) return
    socket.on('error', () => {})
    const timer = setTimeout(() => this.#refuse(held), this.#holdMs)
    timer.unref()
    const release = (): void => {
      clearTimeout(timer)
      socket.off('close', release)
      this.#held.delete(held)
    }
    const held: Held = { request, socket, head, release }
    if (this.#holdMs === 0 || this.#held.size >= MAX_HELD) return this.#refuse(held)
    this.#held.add(held)
    socket.once('close', release)
  }

  readonly #onNewListener = (event: string): void => {
    // The event comes before the listener is added.
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

  #refuse({ request, socket, release }: Held): void {
    release()
    const paths = [...this.#listeners.keys()].join(', ')
    const [listener] = this.#listeners.values()
    refuseUpgrade(socket, 404, `There is no WebSocket here${paths && `; try ${paths}`}\n`)
    listener?.notFound(request, paths)
  }
}
