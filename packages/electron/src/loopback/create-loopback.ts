/// <reference lib="esnext.disposable" preserve="true" />
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  type Audience,
  type Contract,
  type ContractSide,
  type Implementable,
  RpcConfigError,
} from '@flashrpc/core'
import {
  assertContract,
  type ImplementArguments,
  listOf,
  log,
  logFailure,
} from '@flashrpc/core/internal'
import {
  createEndpoint,
  type Endpoint,
  RejectUpgrade,
  RpcListenError,
  type ServerChannel,
} from '@flashrpc/core/server'
import { type CloseOptions, drainOf } from '../close-options.js'
import { answerPlainRequest, refuseUpgrade } from './answers.js'
import { takeCredentials } from './credentials.js'
import { type GateRules, refusalOf, refusalOfHost } from './gate.js'
import {
  assertLoopbackOptions,
  type LoopbackOptions,
  type UntypedLoopbackOptions,
} from './options.js'
import { Token } from './token.js'

/**
 * A contract served on a WebSocket that only this app's pages and programs reach. Printing or
 * serializing it shows no token.
 */
export interface Loopback<Local, Remote, Identity = unknown>
  extends AsyncDisposable,
    Implementable<Local, ServerChannel<Local, Remote, Identity>> {
  /** The port on 127.0.0.1; another each time. */
  readonly port: number
  /**
   * What every connection has to know: 64 hexadecimal digits, 256 bits, new each time. A secret: give it
   * to a program in its environment or on its standard input, not in its arguments, which other users see.
   */
  readonly token: string
  /**
   * `ws://127.0.0.1:PORT/?token=…`, what a page of the app connects to: browsers can't set headers on a
   * WebSocket. A secret, like the token. More may be added to the query, for `identify`.
   */
  readonly url: string
  /** `ws://127.0.0.1:PORT/`, for programs, which send `Authorization: Bearer TOKEN`. No secret. */
  readonly address: string
  /** The channels that are open now. */
  readonly channels: ReadonlySet<ServerChannel<Local, Remote, Identity>>
  /** All of them, to be called together. */
  readonly all: Audience<Remote, ServerChannel<Local, Remote, Identity>>
  /**
   * Those that have joined a group (`channel.join`), to be called together.
   *
   * @throws {RpcConfigError} if the name is not a text, or is empty.
   */
  group(name: string): Audience<Remote, ServerChannel<Local, Remote, Identity>>
  /**
   * Accepts no more and closes every channel (1001). Safe to call twice; nothing is left after it.
   *
   * @param options `drain`: how long, in ms, calls that run may take to finish first. Streams, which may have no
   * end, are not waited for. Default 0.
   */
  close(options?: { drain?: number }): Promise<void>
}

/**
 * Serves a contract on 127.0.0.1, at any free port, to whoever knows the token: programs, and pages
 * of the `origins`. Others get a plain HTTP answer, and `onReject` and the logger learn why.
 *
 * @throws {RpcConfigError} if an option or a method's name is wrong.
 * @throws {RpcListenError} if this machine lets nobody listen on 127.0.0.1.
 */
export function createLoopback<
  Server extends ContractSide,
  Client extends ContractSide,
  Identity,
  const Literal = never,
>(
  contract: Contract<Server, Client>,
  options: LoopbackOptions<Server, Client, Identity, Literal>,
): Promise<Loopback<Server, Client, Identity>>
/** The same without a contract, and so without validation: for peers that trust each other. */
export function createLoopback<
  Local extends object,
  Remote extends object = Record<never, never>,
  Identity = unknown,
  const Literal = never,
>(
  options: LoopbackOptions<Local, Remote, Identity, Literal>,
): Promise<Loopback<Local, Remote, Identity>>
export async function createLoopback(
  ...args: [UntypedLoopbackOptions] | [Contract, UntypedLoopbackOptions]
): Promise<unknown> {
  const [contract, options] = args.length === 1 ? [undefined, args[0]] : args
  if (args.length > 1) assertContract('createLoopback', contract)
  assertLoopbackOptions(options)
  const endpoint = openEndpoint(contract, options)
  const loopback = new WebSocketLoopback(endpoint, options)
  await loopback.listen()
  return loopback
}

type UntypedEndpoint = Endpoint<ContractSide, ContractSide>

/** The endpoint behind the gate. It asks nothing more about pages: the gate knows better. */
function openEndpoint(
  contract: Contract | undefined,
  options: UntypedLoopbackOptions,
): UntypedEndpoint {
  const { origins: _, identify, identifyTimeoutMs, ...shared } = options
  const all = {
    ...shared,
    ...(identify !== undefined && { authenticate: identify }),
    ...(identifyTimeoutMs !== undefined && { authenticateTimeoutMs: identifyTimeoutMs }),
    allowedOrigins: '*',
    allowedHosts: '*',
  } as const
  return contract ? createEndpoint(contract, all) : createEndpoint(all)
}

/** How long a request may take to arrive, in ms, and how often that is looked at. */
const REQUEST_TIMEOUT_MS = 5_000
const CHECK_INTERVAL_MS = 1_000

const ADDRESS = '127.0.0.1'

class WebSocketLoopback implements Loopback<ContractSide, ContractSide> {
  readonly #endpoint: UntypedEndpoint
  readonly #options: UntypedLoopbackOptions
  readonly #origins: readonly string[]
  readonly #token = new Token()
  /** The server that listens. It hands the upgrades that it lets through to the inner server. */
  readonly #outer: Server
  /** The server that the endpoint is attached to, at the first connection: then it has its handlers. It never listens. */
  readonly #inner = createServer()
  #isAttached = false
  readonly #sockets = new Set<Socket>()
  #port = 0
  #closing: Promise<void> | undefined

  constructor(endpoint: UntypedEndpoint, options: UntypedLoopbackOptions) {
    this.#endpoint = endpoint
    this.#options = options
    this.#origins = [...options.origins]
    this.#outer = createServer({
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    })
    // All of them are looked at, within the bound on their size: none is dropped unseen.
    this.#outer.maxHeadersCount = 0
    this.#outer.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.#outer.on('request', ({ rawHeaders }, response) => {
      answerPlainRequest(response, refusalOfHost(rawHeaders, this.#rules.host) ? 403 : 426)
    })
    this.#outer.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  async listen(): Promise<void> {
    try {
      // Rejects where 'error' comes first.
      await once(this.#outer.listen(0, ADDRESS), 'listening')
    } catch (cause) {
      await this.#endpoint.close()
      const { message } = cause as Error
      throw new RpcListenError(`Can't listen on ${ADDRESS}, at any port: ${message}`, { cause })
    }
    this.#port = (this.#outer.address() as AddressInfo).port
    // A connection that could not be accepted; the server goes on with the others.
    this.#outer.on('error', () => {})
  }

  get port(): number {
    return this.#port
  }

  get token(): string {
    return this.#token.text
  }

  get address(): string {
    return `ws://${ADDRESS}:${this.port}/`
  }

  get url(): string {
    return `${this.address}?token=${this.token}`
  }

  get channels(): ReadonlySet<ServerChannel<ContractSide, ContractSide>> {
    return this.#endpoint.channels
  }

  get all(): Audience<ContractSide, ServerChannel<ContractSide, ContractSide>> {
    return this.#endpoint.all
  }

  group(name: string): Audience<ContractSide, ServerChannel<ContractSide, ContractSide>> {
    return this.#endpoint.group(name)
  }

  implement(...args: ImplementArguments): void {
    if (this.#isAttached) {
      throw new RpcConfigError(
        'The loopback serves already: call implement before its first connection',
      )
    }
    const implement = this.#endpoint.implement as (...args: ImplementArguments) => void
    implement.apply(this.#endpoint, args)
  }

  close(options: CloseOptions = {}): Promise<void> {
    let drain: number
    try {
      drain = drainOf(options)
    } catch (error) {
      return Promise.reject(error)
    }
    this.#closing ??= this.#close(drain)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get #rules(): GateRules {
    return { host: `${ADDRESS}:${this.port}`, origins: this.#origins, token: this.#token }
  }

  /** @throws {RpcConfigError} if methods have no handler. */
  #attach(): void {
    if (this.#isAttached) return
    this.#endpoint.attach(this.#inner)
    this.#isAttached = true
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // An upgrading socket without a listener ends the process with its first reset.
    socket.on('error', () => {})
    const credentials = takeCredentials(request, this.#token)
    const refusal = refusalOf(request, credentials, this.#rules)
    if (refusal) return this.#refuse(request, socket, refusal)
    if (!this.#closing) {
      try {
        this.#attach()
      } catch (error) {
        logFailure(this.#options.logger, error, { phase: 'connection' })
        const why = 'The server has not given its handlers yet'
        return this.#refuse(request, socket, new RejectUpgrade(503, why))
      }
    }
    // An endpoint that closes listens no more.
    const isTaken = this.#inner.emit('upgrade', request, socket, head)
    if (!isTaken) this.#refuse(request, socket, new RejectUpgrade(503, 'The server is closing'))
  }

  #refuse(request: IncomingMessage, socket: Duplex, rejection: RejectUpgrade): void {
    const { logger, onReject } = this.#options
    const what = `refused a connection: ${rejection.status} ${rejection.message}`
    log(logger, 'warn', what, { phase: 'connection' })
    for (const hook of listOf(onReject)) {
      void (async () => hook(request, rejection))().catch((thrown) =>
        logFailure(logger, thrown, { phase: 'hook', hook: 'onReject' }),
      )
    }
    refuseUpgrade(socket, rejection)
  }

  async #close(drain: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#outer.close(() => resolve()))
    await this.#endpoint.close({ drain })
    // Those that asked for nothing yet, or don't take their answer.
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}
