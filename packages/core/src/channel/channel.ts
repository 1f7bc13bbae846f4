import type { Contract, ContractSide, Side } from '../contract.js'
import { RpcConfigError } from '../errors.js'
import { CloseCode } from '../transport/close-codes.js'
import type { CloseInfo, Transport } from '../transport/transport.js'
import { ChannelCore } from './channel-core.js'
import type { Connection } from './connection.js'
import type { ConnectionEvents, Reception } from './connection-events.js'
import type { Authorize } from './dispatcher.js'
import type { HandlerContext, SomeHandlers } from './functions.js'
import { type Groups, Membership } from './groups.js'
import type { HelloParams } from './handshake.js'
import { type ChannelHooks, HookRunner } from './hooks.js'
import type { AnswerKeyed } from './keyed-calls.js'
import type { Middleware } from './middleware.js'
import {
  type ChannelOptions,
  type ResolvedChannelOptions,
  resolveChannelOptions,
} from './options.js'
import { CorePeer, type Peer } from './peer.js'

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

/** A channel of the serving side, which knows who is at the other end. */
export interface ServerChannel<Local, Remote, Identity = unknown> extends Channel<Local, Remote> {
  /**
   * Who the other side is, as this side found out: what an endpoint's `authenticate` made of the
   * request, or what `createChannel` was given.
   */
  readonly identity: Identity
  /** How many calls of the other side run here now. */
  readonly running: number
  /**
   * Whether the other side has a handler for a method now (in a page: whether a component that has it is
   * mounted), as it last said. In a session it says so again with each connection. False once the channel is
   * over; undefined where the other side does not say: a plain JSON-RPC peer.
   */
  has(method: keyof Remote & string): boolean | undefined
  /**
   * Tells of each change of what {@link has} says, with all methods that have a handler; last, with none, when
   * the channel is over. What is there when `onConnect` runs is no change.
   *
   * @returns ends that.
   */
  onMethods(listener: (methods: ReadonlySet<keyof Remote & string>) => void): () => void
  /** The groups that it is in. */
  readonly groups: ReadonlySet<string>
  /**
   * Joins a group, by which `endpoint.group(name)` finds it until it leaves or ends. Joined already, or ended:
   * changes nothing. In a session it stays in its groups from one connection to the next.
   *
   * @throws {RpcConfigError} where the name is no text, or empty.
   */
  join(group: string): void
  /** Leaves a group. @throws {RpcConfigError} where the name is no text, or empty. */
  leave(group: string): void
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

/** What makes a channel of the serving side, which may know who is at the other end. */
export interface CreateServerChannelOptions<Local, Remote, Identity = undefined>
  extends Omit<ChannelOptions, 'use'>,
    ChannelHooks<ServerChannel<Local, Remote, Identity>> {
  /** An open connection, such as `messagePortTransport(port)`. */
  transport: Transport
  side: 'server'
  /** What the other side can call. More can be added with `expose`. */
  methods?: SomeHandlers<Local, ServerChannel<Local, Remote, Identity>>
  /** What surrounds calls in both directions, outermost first; `call.identity` has its type. */
  use?: Middleware<NoInfer<Identity>> | readonly Middleware<NoInfer<Identity>>[]
  /** Who is at the other end: `identity` in every handler and on the channel. */
  identity?: Identity
  /** Says of each call whether it may run; one that may not is answered −32002. Default: all may. */
  authorize?: Authorizer<Local, ServerChannel<Local, Remote, Identity>>
}

/** Says of a call whether it may run. */
export type Authorizer<Local, Ch> = (
  method: keyof Local & string,
  context: HandlerContext<Ch>,
) => boolean | Promise<boolean>

/**
 * Opens a channel over a connection that is there already: a worker, a frame, a process.
 *
 * @throws {RpcConfigError} where an option or a method's name is wrong.
 */
export function createChannel<
  Server extends ContractSide,
  Client extends ContractSide,
  Identity = undefined,
>(
  contract: Contract<Server, Client>,
  options: CreateServerChannelOptions<Server, Client, Identity>,
): ServerChannel<Server, Client, Identity>
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
  const { identity, authorize } = options
  if (authorize !== undefined && typeof authorize !== 'function') {
    throw new RpcConfigError(`authorize must be a function; it is of type ${typeof authorize}`)
  }
  return openChannel({ contract, side, transport, options, identity, authorize })
}

/** The options of both sides, their types gone. */
interface UntypedOptions extends ChannelOptions, ChannelHooks<LiveChannel> {
  transport: Transport
  side: Side
  methods?: object
  identity?: unknown
  // biome-ignore lint/suspicious/noExplicitAny: the names and contexts of every contract's
  authorize?: Authorizer<any, any>
}

/** What a channel is opened with, once the types are gone. */
export interface OpenChannel {
  readonly contract: Contract | undefined
  readonly side: Side
  readonly transport: Transport
  readonly options: ChannelOptions & ChannelHooks<LiveChannel> & { methods?: object }
  /** The options, where they are resolved already: many channels may have the same. */
  readonly settings?: ResolvedChannelOptions
  /** Who the other side is, as the server found out. */
  readonly identity?: unknown
  readonly authorize?: Authorize | undefined
  /** Answers calls with an idempotency key. */
  readonly answerKeyed?: AnswerKeyed | undefined
  /** Server: who takes the connection. Without it, this channel does. */
  readonly receive?: (hello: HelloParams, connection: Connection, channel: LiveChannel) => Reception
  /** Server: the window over which its clients spread after a loss, in ms. */
  readonly spreadMs?: () => number
  /** Who finds channels by their groups. */
  readonly groups?: Groups<LiveChannel>
  readonly events?: LiveChannelEvents
}

/** What whoever opened a channel is told of it, ahead of its hooks. */
export interface LiveChannelEvents {
  open?(channel: LiveChannel): void
  /** Its connection ended; in a session, another may come. */
  down?(channel: LiveChannel): void
  /** It is over; `recv` is how many messages its session has dispatched. */
  ended?(channel: LiveChannel, info: CloseInfo, recv: number | undefined): void
  /** What it holds for the other side may have changed. */
  change?(channel: LiveChannel): void
}

/** Opens a channel; the public signatures put its types on. */
export function openChannel(open: OpenChannel): LiveChannel {
  return new LiveChannel(open)
}

/** A channel that begins with a connection and ends with it, or with its session; its types are gone. */
export class LiveChannel extends CorePeer implements AnyChannel {
  protected readonly core: ChannelCore
  readonly #membership: Membership<LiveChannel>
  #identity: unknown

  constructor(open: OpenChannel) {
    const { contract, side, transport, options, identity, authorize, receive, spreadMs, events } =
      open
    super()
    this.#identity = identity
    this.#membership = new Membership<LiveChannel>(this, open.groups)
    const hooks = new HookRunner<LiveChannel>(options, this)
    this.core = new ChannelCore({
      settings: open.settings ?? resolveChannelOptions(options),
      contract,
      side,
      lasting: false,
      spreadMs,
      receive: receive && ((hello, connection) => receive(hello, connection, this)),
      self: () => this,
      identity: () => this.#identity,
      authorize,
      answerKeyed: open.answerKeyed,
      events: {
        open: () => {
          events?.open?.(this)
          void hooks.connect().then((well) => {
            if (!well) this.end({ code: CloseCode.internal, reason: 'An onConnect hook failed' })
          })
        },
        resumed: () => {},
        down: () => events?.down?.(this),
        ended: (info, recv) => {
          this.#membership.end()
          this.core.presence.end()
          events?.ended?.(this, info, recv)
          hooks.disconnect(info)
        },
        error: hooks.error,
        latency: () => {},
        change: () => events?.change?.(this),
      },
    })
    this.exposeAll(options.methods)
    this.core.attach(transport)
  }

  get identity(): unknown {
    return this.#identity
  }

  get isConnected(): boolean {
    return this.core.isConnected
  }

  get running(): number {
    return this.core.running
  }

  has(method: string): boolean | undefined {
    return this.core.presence.has(method)
  }

  onMethods(listener: (methods: ReadonlySet<string>) => void): () => void {
    return this.core.presence.listen(listener)
  }

  get groups(): ReadonlySet<string> {
    return this.#membership.names
  }

  join(group: string): void {
    this.#membership.join(group)
  }

  leave(group: string): void {
    this.#membership.leave(group)
  }

  async close(code: number = CloseCode.normal, reason = ''): Promise<void> {
    if (code !== CloseCode.normal && !(Number.isInteger(code) && code >= 3000 && code <= 4999)) {
      throw new RpcConfigError(`A close code is 1000 or from 3000 to 4999; it is ${String(code)}`)
    }
    this.end({ code, reason })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // ── For whoever opened it ─────────────────────────────────────────────────────────────────────

  /** How much it holds for the other side, in bytes. */
  get heldBytes(): number {
    return this.core.heldBytes
  }

  /** Whether it has something to do before it may end. */
  get isBusy(): boolean {
    return this.core.isBusy
  }

  /** Begins a session, with a client that keeps so many bytes itself. */
  begin(peerBytes: number | undefined): void {
    this.core.begin(peerBytes)
  }

  /**
   * Goes on over a connection that began as another channel's.
   *
   * @returns what its client is told, or `undefined` where the client can't have come so far.
   */
  resume(
    connection: Connection,
    recv: unknown,
    identity: unknown,
  ): { events: ConnectionEvents; recv: number } | undefined {
    const events = this.core.resume(connection, recv)
    if (!events) return undefined
    this.#identity = identity
    return { events, recv: this.core.recv }
  }

  /** Its connection goes on as another channel's: this one was taken for a plain peer's, or nobody's. */
  abandon(): void {
    this.core.abandon()
  }

  /** Runs no call any more that has not come yet, and says so. */
  retire(retryAfterMs: number | undefined): void {
    this.core.leave(retryAfterMs)
  }

  /** Ends it, with its connection and its session. */
  end(info: CloseInfo): void {
    this.core.end(info)
  }
}
