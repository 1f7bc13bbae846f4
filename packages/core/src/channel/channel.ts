import type { Contract, ContractSide, Side } from '../contract.js'
import { RpcConfigError } from '../errors.js'
import { CloseCode } from '../transport/close-codes.js'
import type { CloseInfo, Transport } from '../transport/transport.js'
import { ChannelCore } from './channel-core.js'
import type { ChannelCoreOptions } from './channel-core-options.js'
import type { Connection } from './connection.js'
import type { ConnectionEvents, Reception } from './connection-events.js'
import type { Authorize } from './dispatcher.js'
import { type HandlersByName, handlersOf } from './exposed-handlers.js'
import type { HandlerContext, SomeHandlers } from './functions.js'
import { assertGroup, type Groups, Membership } from './groups.js'
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
  return new ChannelKind({ contract, side, options, authorize }).open(transport, { identity })
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

/** What channels are opened with that are opened alike, once the types are gone. */
export interface ChannelKindOptions {
  readonly contract: Contract | undefined
  readonly side: Side
  readonly options: ChannelOptions & ChannelHooks<LiveChannel> & { methods?: object }
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

/** What whoever opens channels is told of each, ahead of its hooks. */
export interface LiveChannelEvents {
  open?(channel: LiveChannel): void
  /** Its connection ended; in a session, another may come. */
  down?(channel: LiveChannel): void
  /** It is over; `recv` is how many messages its session has dispatched. */
  ended?(channel: LiveChannel, info: CloseInfo, recv: number | undefined): void
  /** What it holds for the other side may have changed. */
  change?(channel: LiveChannel): void
}

/** Who is at the other end. */
export interface Visitor {
  /** Who it is, as this side found out. */
  readonly identity?: unknown
  /** The address it comes from, where there is one. */
  readonly address?: string | undefined
}

/** What channels have in common that are opened alike: a server's. */
export class ChannelKind {
  readonly settings: ResolvedChannelOptions
  readonly groups: Groups<LiveChannel> | undefined
  readonly #core: ChannelCoreOptions<LiveChannel>
  readonly #handlers: HandlersByName

  /** @throws {RpcConfigError} where an option or a method's name is wrong. */
  constructor({ contract, side, options, events, groups, ...others }: ChannelKindOptions) {
    const hooks = new HookRunner<LiveChannel>(options)
    this.settings = resolveChannelOptions(options)
    this.groups = groups
    this.#handlers = handlersOf(options.methods, { side, localSide: contract?.[side] })
    this.#core = {
      ...others,
      contract,
      side,
      settings: this.settings,
      lasting: false,
      events: {
        open: (channel) => {
          events?.open?.(channel)
          channel.wasTold = true
          void hooks.connect(channel).then((well) => {
            if (!well) channel.end({ code: CloseCode.internal, reason: 'An onConnect hook failed' })
          })
        },
        down: (channel) => events?.down?.(channel),
        ended: (channel, info, recv) => {
          channel.over()
          events?.ended?.(channel, info, recv)
          if (channel.wasTold) hooks.disconnect(channel, info)
        },
        error: (channel, error) => hooks.error(channel, error),
        change: (channel) => events?.change?.(channel),
      },
    }
  }

  /** Opens a channel; the public signatures put its types on. */
  open(transport: Transport, visitor: Visitor): LiveChannel {
    const channel = new LiveChannel(this, this.#core, this.#handlers, visitor)
    channel.attach(transport)
    return channel
  }
}

const NO_GROUPS: ReadonlySet<string> = new Set()

/** A channel that begins with a connection and ends with it, or with its session; its types are gone. */
export class LiveChannel extends CorePeer implements AnyChannel {
  /** Whether its hooks were told that it is connected. */
  wasTold = false
  readonly #kind: ChannelKind
  protected readonly core: ChannelCore
  #visitor: Visitor
  #membership: Membership<LiveChannel> | undefined
  #isOver = false

  constructor(
    kind: ChannelKind,
    options: ChannelCoreOptions<LiveChannel>,
    handlers: HandlersByName,
    visitor: Visitor,
  ) {
    super()
    this.#kind = kind
    this.#visitor = visitor
    this.core = new ChannelCore(options, this, handlers)
  }

  get identity(): unknown {
    return this.#visitor.identity
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
    return this.#membership?.names ?? NO_GROUPS
  }

  join(group: string): void {
    assertGroup(group)
    // Whoever waited for something before it joined may come after the end.
    if (this.#isOver) return
    this.#membership ??= new Membership<LiveChannel>(this, this.#kind.groups)
    this.#membership.join(group)
  }

  leave(group: string): void {
    assertGroup(group)
    this.#membership?.leave(group)
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

  /** Who is at the other end. */
  get visitor(): Visitor {
    return this.#visitor
  }

  attach(transport: Transport): void {
    this.core.attach(transport)
  }

  /** Nobody is there any more. */
  over(): void {
    this.#isOver = true
    this.#membership?.end()
    this.core.presence.end()
  }

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
    visitor: Visitor,
  ): { events: ConnectionEvents; recv: number } | undefined {
    const events = this.core.resume(connection, recv)
    if (!events) return undefined
    this.#visitor = visitor
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
