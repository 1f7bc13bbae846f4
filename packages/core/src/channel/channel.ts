import type { Contract, ContractSide, Side } from '../contract.js'
import { RpcConfigError } from '../errors.js'
import { CloseCode } from '../transport/close-codes.js'
import type { Transport } from '../transport/transport.js'
import { jsonCodec } from '../wire/codec.js'
import { ChannelCore, type ChannelCoreEvents } from './channel-core.js'
import type { AnyHandler, Authorize } from './dispatcher.js'
import type {
  CallOptions,
  Handler,
  MethodName,
  Other,
  RemoteFunction,
  SomeHandlers,
} from './functions.js'
import {
  type ChannelHooks,
  type ChannelOptions,
  createHookRunner,
  resolveChannelOptions,
} from './options.js'

/**
 * One end of a conversation in which both sides may call.
 *
 * `Local` is what the other side can call here, `Remote` what can be called there.
 */
export interface Peer<Local, Remote> {
  /** 128 random bits, in hexadecimal. */
  readonly id: string
  /**
   * The other side as an object of functions: `other.add({ a, b }, { timeout, signal })`.
   *
   * A method's function resolves to the value the handler there returned; a notification's to
   * nothing, once it has been handed to the wire.
   *
   * Each ends once. It rejects with `RpcError` (the other side's answer is an error), or, of this
   * side: `RpcTimeoutError`, `RpcAbortedError`, `RpcDisconnectedError`, `RpcOverloadedError`,
   * `RpcProtocolError` (the answer is no JSON-RPC 2.0), `RpcValidationError` (the result breaks its
   * schema, or the params can't be carried), `RpcConfigError` (the options are wrong).
   */
  readonly other: Other<Remote>
  /** Calls a method by its name; as the function of that name in {@link other}. */
  call<K extends MethodName<Remote>>(
    method: K,
    ...args: Parameters<RemoteFunction<Remote[K]>>
  ): ReturnType<RemoteFunction<Remote[K]>>
  /** Sends a notification by name. Resolves once it has been handed to the wire. */
  notify<K extends keyof Remote & string>(
    method: K,
    ...args: Parameters<RemoteFunction<Remote[K]>>
  ): Promise<void>
  /**
   * Lets the other side call a handler. Of several under one name the newest serves a method, and
   * all of them hear a notification.
   *
   * @returns takes the handler away again, and lets the one before it serve.
   * @throws {RpcConfigError} where the contract has no such method on this side.
   */
  expose<K extends keyof Local & string>(method: K, handler: Handler<Local[K], this>): () => void
}

/** A conversation over one connection: it ends with it. */
export interface Channel<Local, Remote> extends Peer<Local, Remote>, AsyncDisposable {
  /** Whether calls can be sent now: after the handshake, before the end. */
  readonly isConnected: boolean
  /**
   * Ends the connection. Open calls reject with `RpcDisconnectedError`. Safe to call twice.
   *
   * @param code 1000, or 3000–4999 (RFC 6455, section 7.4). Default 1000.
   * @param reason for the other side, at most 123 bytes.
   * @throws {RpcConfigError} where the code is none of these.
   */
  close(code?: number, reason?: string): Promise<void>
}

/** A channel of which nothing is known: of any contract, or of none. */
// biome-ignore lint/suspicious/noExplicitAny: it stands for every pair of sides, and only `any` does
export type AnyChannel = Channel<any, any>

/** What makes a channel of a transport. */
export interface CreateChannelOptions<Local, Remote>
  extends ChannelOptions,
    ChannelHooks<Channel<Local, Remote>> {
  /** An open connection, such as `messagePortTransport(port)`. */
  transport: Transport
  /** The part that this program plays in the contract. The other end plays the other one. */
  side: Side
  /** What the other side can call. More can be added with `expose`. */
  methods?: SomeHandlers<Local, Channel<Local, Remote>>
}

/**
 * Opens a channel over a connection that is there already: a worker, a frame, a process.
 *
 * @throws {RpcConfigError} where an option or a method's name is wrong.
 */
export function createChannel<Server extends ContractSide, Client extends ContractSide>(
  contract: Contract<Server, Client>,
  options: CreateChannelOptions<Server, Client> & { side: 'server' },
): Channel<Server, Client>
export function createChannel<Server extends ContractSide, Client extends ContractSide>(
  contract: Contract<Server, Client>,
  options: CreateChannelOptions<Client, Server> & { side: 'client' },
): Channel<Client, Server>
/** The same without a contract, and so without validation: for peers that trust each other. */
export function createChannel<Local extends object, Remote extends object>(
  options: CreateChannelOptions<Local, Remote>,
): Channel<Local, Remote>
export function createChannel(...args: [UntypedOptions] | [Contract, UntypedOptions]): AnyChannel {
  const [contract, options] = args.length === 1 ? [undefined, args[0]] : args
  const { side, transport } = options
  if (side !== 'server' && side !== 'client') {
    throw new RpcConfigError(`side must be "server" or "client"; it is ${String(side)}`)
  }
  return openChannel({ contract, side, transport, options, spreadMs: 0 })
}

type UntypedOptions = CreateChannelOptions<UntypedSide, UntypedSide>
type UntypedSide = Record<string, AnyHandler>

/** What a channel is opened with, once the types are gone. */
export interface OpenChannel {
  readonly contract: Contract | undefined
  readonly side: Side
  readonly transport: Transport
  readonly options: ChannelOptions & ChannelHooks<AnyChannel> & { methods?: object }
  readonly spreadMs: number
  /** Who the other side is, as the server found out. */
  readonly identity?: unknown
  readonly authorize?: Authorize | undefined
  readonly onDown?: () => void
}

/** Opens a channel; the public signatures put its types on. */
export function openChannel(open: OpenChannel): LiveChannel {
  return new LiveChannel(open)
}

/** Registers an object's own functions. */
export function exposeAll(core: ChannelCore, methods: object | undefined): void {
  for (const [name, handler] of Object.entries(methods ?? {})) {
    if (handler !== undefined) core.expose(name, handler as AnyHandler)
  }
}

/** A channel of one connection, its types gone. */
export class LiveChannel implements AnyChannel {
  readonly identity: unknown
  readonly #core: ChannelCore

  constructor(open: OpenChannel) {
    const { contract, side, transport, options, spreadMs, identity, authorize, onDown } = open
    this.identity = identity
    const hooks = createHookRunner<AnyChannel>(options, () => this)
    const events: ChannelCoreEvents = {
      open: () => {
        void hooks.connect().then((well) => {
          if (!well) this.#core.disconnect(CloseCode.internal, 'An onConnect hook failed')
        })
      },
      down: (info) => {
        onDown?.()
        hooks.disconnect(info)
      },
      error: hooks.error,
      latency: () => {},
      change: () => {},
    }
    this.#core = new ChannelCore({
      ...resolveChannelOptions(options),
      contract,
      side,
      codec: jsonCodec,
      lasting: false,
      spreadMs,
      self: () => this,
      identity,
      authorize,
      events,
    })
    exposeAll(this.#core, options.methods)
    this.#core.attach(transport)
  }

  get id(): string {
    return this.#core.id
  }

  get other(): Other<Record<string, AnyHandler>> {
    return this.#core.other as Other<Record<string, AnyHandler>>
  }

  get isConnected(): boolean {
    return this.#core.isConnected
  }

  /** Calls of the other side that run here. */
  get running(): number {
    return this.#core.running
  }

  call(method: string, params?: unknown, options?: CallOptions): Promise<unknown> {
    return this.#core.call(method, params, options)
  }

  notify(method: string, params?: unknown, options?: CallOptions): Promise<void> {
    return this.#core.notify(method, params, options)
  }

  expose(method: string, handler: AnyHandler): () => void {
    return this.#core.expose(method, handler)
  }

  async close(code: number = CloseCode.normal, reason?: string): Promise<void> {
    if (code !== CloseCode.normal && !(Number.isInteger(code) && code >= 3000 && code <= 4999)) {
      throw new RpcConfigError(`A close code is 1000 or from 3000 to 4999; it is ${String(code)}`)
    }
    this.#core.disconnect(code, reason)
  }

  /** Ends it because this side is going away. */
  goAway(reason: string): void {
    this.#core.disconnect(CloseCode.goingAway, reason)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
