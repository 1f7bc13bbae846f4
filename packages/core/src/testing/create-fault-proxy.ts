/// <reference lib="esnext.disposable" preserve="true" />
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { RpcConfigError } from '../errors/errors.js'
import { kindOf } from '../errors/options.js'
import { FaultControls, type FaultSettings, type Faults, NO_FAULTS } from './faults.js'
import { type FaultConnection, ProxiedConnection } from './proxied-connection.js'
import { resetSocket } from './reset-socket.js'
import { type FaultProxyTargets, Targets } from './targets.js'

const HOST = '127.0.0.1'

/**
 * A TCP proxy on a free port of 127.0.0.1 that simulates the faults of networks. Its faults are for all connections;
 * each of {@link connections} has the same for itself.
 */
export interface FaultProxy extends Faults, AsyncDisposable {
  /** The port of the proxy. */
  readonly port: number
  /** The connections that are open. */
  readonly connections: ReadonlySet<FaultConnection>
  /** How many connections there have been, without those that were refused. */
  readonly accepted: number
  /** How many connections were refused. */
  readonly refused: number
  /**
   * @returns the address of the proxy, for clients.
   *
   * @param scheme Default `ws`.
   * @param path Default `/`.
   */
  url(scheme?: string, path?: string): string
  /** Resets every new connection at once; those that are open stay. */
  refuse(): void
  /** Ends {@link refuse}. */
  accept(): void
  /** Leads new connections to another server, or to others; those that are open stay. */
  retarget(targets: FaultProxyTargets): void
  /** Ends every fault, and {@link refuse}. Bytes that are on their way arrive at once. */
  heal(): void
  /** Accepts no more and closes every connection. Safe to call twice. */
  close(): Promise<void>
}

/**
 * Makes a proxy that passes everything on until a fault is set.
 *
 * @param targets the server behind it, or several that take turns. If none can be reached, the connection is reset.
 * @throws {RpcConfigError} if there is no such port.
 *
 * @example
 * await using proxy = await createFaultProxy({ port: server.port })
 * const client = createClient(contract, { url: proxy.url('ws', '/ws') })
 * proxy.cut()
 */
export async function createFaultProxy(targets: FaultProxyTargets): Promise<FaultProxy> {
  const proxy = new TcpFaultProxy(new Targets(targets))
  await proxy.listen()
  return proxy
}

class TcpFaultProxy extends FaultControls implements FaultProxy {
  readonly connections: ReadonlySet<FaultConnection>
  port = 0
  accepted = 0
  refused = 0
  readonly #server: Server
  readonly #connections = new Set<ProxiedConnection>()
  readonly #sockets = new Set<Socket>()
  #targets: Targets
  #faults = NO_FAULTS
  #refuses = false
  #closing: Promise<void> | undefined

  constructor(targets: Targets) {
    super()
    this.#targets = targets
    this.connections = this.#connections
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) =>
      this.#accept(client),
    )
  }

  async listen(): Promise<void> {
    this.#server.listen(0, HOST)
    await once(this.#server, 'listening')
    // One connection could not be accepted. The others go on.
    this.#server.on('error', () => {})
    this.port = (this.#server.address() as AddressInfo).port
  }

  url(scheme = 'ws', path = '/'): string {
    if (typeof scheme !== 'string') {
      throw new RpcConfigError(`scheme must be a string, such as "ws", not ${kindOf(scheme)}`)
    }
    if (typeof path !== 'string' || !path.startsWith('/')) {
      throw new RpcConfigError(`path must begin with "/". It is ${JSON.stringify(path)}`)
    }
    return `${scheme}://${HOST}:${this.port}${path}`
  }

  apply(change: Partial<FaultSettings>): void {
    this.#faults = { ...this.#faults, ...change }
    for (const connection of this.#connections) connection.apply(change)
  }

  cut(): void {
    for (const connection of this.#connections) connection.cut()
  }

  reset(): void {
    for (const connection of this.#connections) connection.reset()
  }

  refuse(): void {
    this.#refuses = true
  }

  accept(): void {
    this.#refuses = false
  }

  override heal(): void {
    this.accept()
    super.heal()
  }

  retarget(targets: FaultProxyTargets): void {
    this.#targets = new Targets(targets)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #accept(client: Socket): void {
    this.#track(client)
    if (this.#closing || this.#refuses) {
      this.refused++
      resetSocket(client)
      return
    }
    const connection = new ProxiedConnection(++this.accepted, client, () =>
      this.#connections.delete(connection),
    )
    this.#connections.add(connection)
    connection.apply(this.#faults)
    // A fault may have ended it already.
    if (!connection.isOver) void this.#connect(connection)
  }

  async #connect(connection: ProxiedConnection): Promise<void> {
    connection.reached(await this.#targets.connect((socket) => this.#track(socket)))
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket)
    // The event `close` reports its end.
    socket.on('error', () => {})
    socket.once('close', () => this.#sockets.delete(socket))
    if (this.#closing) socket.destroy()
  }

  async #close(): Promise<void> {
    const serverClosed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    for (const socket of this.#sockets) socket.destroy()
    // A socket that was still connecting may be followed by one to the next target.
    for (const socket of this.#sockets) {
      await new Promise<void>((resolve) => socket.once('close', () => resolve()))
    }
    await serverClosed
  }
}
