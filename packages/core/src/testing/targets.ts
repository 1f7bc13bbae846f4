import { connect, type Socket } from 'node:net'
import { RpcConfigError } from '../errors/errors.js'

/** A server that a proxy stands in front of. */
export interface FaultProxyTarget {
  /** The port of the server. */
  readonly port: number
  /** Default 127.0.0.1. */
  readonly host?: string
}

/** One server, or several that take turns. */
export type FaultProxyTargets =
  | (FaultProxyTarget & {
      /** Not beside a `port`. */
      readonly targets?: undefined
    })
  | {
      /** Connections go to each in its turn; one that can't be reached is passed over. */
      readonly targets: readonly FaultProxyTarget[]
      /** Not beside `targets`. */
      readonly port?: undefined
      /** Not beside `targets`. */
      readonly host?: undefined
    }

/** Servers that take turns. */
export class Targets {
  readonly #targets: readonly FaultProxyTarget[]
  #turn = 0

  /** @throws {RpcConfigError} if there is no server, or no such port. */
  constructor(options: FaultProxyTargets) {
    // Any object with a port is a target, also with more members, such as the result of an endpoint's listen().
    const targets = (options as Partial<FaultProxyTargets> | undefined)?.targets ?? [
      options as FaultProxyTarget,
    ]
    if (!Array.isArray(targets))
      throw new RpcConfigError('targets must be an array of { port, host }')
    if (targets.length === 0) {
      throw new RpcConfigError('targets is empty. Name the port of at least one server')
    }
    for (const target of targets) {
      const { port, host } = (target ?? {}) as FaultProxyTarget
      if (!(Number.isInteger(port) && port > 0 && port < 2 ** 16)) {
        const what = "the server's, from 1 to 65535, such as the port that listen() tells"
        throw new RpcConfigError(`port must be ${what}. It is ${String(port)}`)
      }
      if (host !== undefined && (typeof host !== 'string' || host === '')) {
        throw new RpcConfigError(`host must be a name or an address, or left out for 127.0.0.1`)
      }
    }
    this.#targets = targets.map((target: FaultProxyTarget) => ({ ...target }))
  }

  /**
   * Connects to the target whose turn it is, or to the next that can be reached.
   *
   * @param track called with each socket, also with those that fail to connect.
   * @returns undefined if none can be reached.
   */
  async connect(track: (socket: Socket) => void): Promise<Socket | undefined> {
    const first = this.#turn++
    for (let n = 0; n < this.#targets.length; n++) {
      const target = this.#targets[(first + n) % this.#targets.length]
      const socket = target && (await attempt(target, track))
      if (socket) return socket
    }
    return undefined
  }
}

function attempt(
  { port, host = '127.0.0.1' }: FaultProxyTarget,
  track: (socket: Socket) => void,
): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, allowHalfOpen: true, noDelay: true })
    track(socket)
    socket.once('connect', () => resolve(socket))
    socket.once('close', () => resolve(undefined))
  })
}
