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

interface Heard {
  readonly path: string
  readonly hearer: Hearer
  readonly stop: () => void
}

/** What endpoints hear, by their listeners: several may share a server. */
const heardBy = new WeakMap<object, Heard>()

/**
 * Hears the upgrades to a path of an HTTP server. Those to other paths are left to others; where nobody
 * but endpoints listens, they are answered 404.
 *
 * @returns hears no more.
 * @throws {RpcConfigError} where the path is served already.
 */
export function hearUpgrades(server: Server, path: string, hearer: Hearer): () => void {
  const others = server.listeners('upgrade').map((listener) => heardBy.get(listener))
  const other = others.find((heard) => heard?.path === path)
  if (other && !other.hearer.isLeaving()) {
    throw new RpcConfigError(
      `An endpoint serves ${path} on this server already; choose another path`,
    )
  }
  other?.stop()
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (isPath(request, path)) hearer.upgrade(request, socket, head)
    else if (isNobodys(request, server, onUpgrade)) {
      socket.on('error', () => {})
      refuseUpgrade(socket, 404, `There is no WebSocket here; try ${path}\n`)
    }
  }
  const stop = (): void => void server.off('upgrade', onUpgrade)
  heardBy.set(onUpgrade, { path, hearer, stop })
  server.on('upgrade', onUpgrade)
  return stop
}

/**
 * Whether this listener has to refuse an upgrade: nobody but endpoints listens, none of them serves
 * the path, and this is the first of them. Unanswered, the socket would hang.
 */
function isNobodys(request: IncomingMessage, server: Server, listener: object): boolean {
  const listeners = server.listeners('upgrade')
  return (
    listeners[0] === listener &&
    listeners.every((other) => {
      const heard = heardBy.get(other)
      return heard !== undefined && !isPath(request, heard.path)
    })
  )
}
