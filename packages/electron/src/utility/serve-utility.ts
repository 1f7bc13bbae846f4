/// <reference lib="esnext.disposable" preserve="true" />
import {
  type Audience,
  type Authorizer,
  type ChannelHooks,
  type ChannelOptions,
  type Contract,
  type ContractSide,
  createAudience,
  createGroup,
  type Handlers,
  type Implementable,
  messagePortTransport,
  type PresenceOptions,
  RpcConfigError,
  type ServerChannel,
  type Transport,
} from '@flashrpc/core'
import { type DiscoveryOption, resolveDiscovery } from '@flashrpc/core/discovery'
import {
  type AnyServerChannel,
  contractAndOptions,
  type ImplementArguments,
  log,
  logFailure,
  type OptionKinds,
  SERVER_CHANNEL_OPTIONS,
  ServedChannels,
} from '@flashrpc/core/internal'
import type { MessageEvent, ParentPort } from 'electron'
import { ACCEPTED, claimsHandOver, readGone, readHandOver } from '../hand-over.js'
import { portOfMain } from '../port-main.js'
import { refusePort } from '../refuse-port.js'
import { whenEnded } from '../when-ended.js'

/** What a service in a utility process is made with. */
export interface UtilityOptions<Local, Remote, Identity = unknown, Literal = never>
  extends Omit<ChannelOptions, 'dialect' | 'discover' | 'heartbeat'>,
    ChannelHooks<ServerChannel<Local, Remote, Identity>> {
  /**
   * Tell callers that ask (`rpc.discover`) what they may call, as an OpenRPC document of the contract; its
   * title, version and description may be given, or what answers instead. Default: false.
   */
  discover?: DiscoveryOption
  /** The methods that main and its pages can call. Default: those that `implement` is given. */
  methods?: Handlers<Local, ServerChannel<Local, Remote, Identity>, Literal> | undefined
  /** Lets callers see who is in a group, live. `allow` decides who may see which group. Default: nobody may. */
  presence?: PresenceOptions<ServerChannel<Local, Remote, Identity>>
  /** Says of each call whether it may run; one that may not is answered −32002. Default: all may. */
  authorize?: Authorizer<Local, ServerChannel<Local, Remote, Identity>>
}

/** A service in a utility process. */
export interface UtilityService<Local, Remote, Identity = unknown>
  extends AsyncDisposable,
    Implementable<Local, ServerChannel<Local, Remote, Identity>> {
  /**
   * The channels that are open now. A page's `identity` is what main's `identify` said of it, or
   * `{ frame }`; main's own is undefined.
   */
  readonly channels: ReadonlySet<ServerChannel<Local, Remote, Identity>>
  /** All of them, to be called together. */
  readonly all: Audience<Remote, ServerChannel<Local, Remote, Identity>>
  /**
   * Those that have joined a group (`channel.join`), to be called together.
   *
   * @throws {RpcConfigError} if the name is not a text, or is empty.
   */
  group(name: string): Audience<Remote, ServerChannel<Local, Remote, Identity>>
  /** Accepts no more, and closes every channel (1001). Safe to call twice. */
  close(): Promise<void>
}

/**
 * Serves a contract in a utility process: the pages that main's `host.pipe` lets through, and main's
 * own `utilityTransport`. Other messages of the parent are left alone.
 *
 * @param parentPort Electron's `process.parentPort`.
 * @throws {RpcConfigError} if an option or a method's name is wrong, or this is no utility process.
 */
export function serveUtility<
  Server extends ContractSide,
  Client extends ContractSide,
  Identity = unknown,
  const Literal = never,
>(
  parentPort: ParentPort,
  contract: Contract<Server, Client>,
  options: UtilityOptions<Server, Client, Identity, Literal>,
): UtilityService<Server, Client, Identity>
/** The same without a contract, and so without validation: for peers that trust each other. */
export function serveUtility<
  Local extends object,
  Remote extends object = Record<never, never>,
  Identity = unknown,
  const Literal = never,
>(
  parentPort: ParentPort,
  options: UtilityOptions<Local, Remote, Identity, Literal>,
): UtilityService<Local, Remote, Identity>
export function serveUtility(
  parentPort: ParentPort,
  ...args: [UntypedOptions] | [Contract, UntypedOptions]
): unknown {
  const checked = contractAndOptions<UntypedOptions>('serveUtility', args, UTILITY_OPTIONS)
  return new Service(parentPort, ...checked)
}

// biome-ignore lint/suspicious/noExplicitAny: it stands for every pair of sides, and only `any` does
type UntypedOptions = UtilityOptions<any, any, any>

const UTILITY_OPTIONS = {
  ...SERVER_CHANNEL_OPTIONS,
  dialect: undefined,
  heartbeat: undefined,
  presence: 'elsewhere',
} as const satisfies OptionKinds<UntypedOptions, 'dialect' | 'heartbeat'>

/** The parent ports that are served. */
const served = new WeakSet<ParentPort>()

/** A service, its types gone. */
class Service {
  readonly channels: ReadonlySet<AnyServerChannel>
  readonly all: Audience<object, AnyServerChannel>
  readonly #parentPort: ParentPort
  readonly #options: UntypedOptions
  readonly #served: ServedChannels
  readonly #channels = new Set<AnyServerChannel>()
  readonly #transports = new Set<Transport>()
  /** The transports of pages, by the id of their hand-over. */
  readonly #ofPages = new Map<number, Transport>()

  constructor(parentPort: ParentPort, contract: Contract | undefined, options: UntypedOptions) {
    if (typeof parentPort?.on !== 'function') {
      throw new RpcConfigError(
        'This process has no parentPort. Call serveUtility(process.parentPort, …) in a process that utilityProcess.fork() has started',
      )
    }
    if (served.has(parentPort)) {
      throw new RpcConfigError(
        'This process has a service already: close it before you make another',
      )
    }
    this.#options = options
    this.#served = new ServedChannels(
      contract,
      { ...options, discover: resolveDiscovery(options.discover) },
      { made: 'service', before: 'its first connection' },
    )
    this.#parentPort = parentPort
    this.channels = this.#channels
    this.all = createAudience(() => this.#channels)
    served.add(parentPort)
    parentPort.on('message', this.#onMessage)
  }

  group(name: string): Audience<object, AnyServerChannel> {
    return createGroup(() => this.#channels, name)
  }

  implement(...args: ImplementArguments): void {
    this.#served.implement(...args)
  }

  async close(): Promise<void> {
    this.#parentPort.off('message', this.#onMessage)
    served.delete(this.#parentPort)
    for (const transport of [...this.#transports]) transport.close(1001, 'The service is closing')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  readonly #onMessage = ({ data, ports }: MessageEvent): void => {
    const gone = readGone(data)
    if (gone) return this.#ofPages.get(gone.id)?.close(gone.code, gone.reason)
    const [port] = ports
    if (port === undefined || !claimsHandOver(data)) return
    const handOver = readHandOver(data)
    if ('wrong' in handOver) {
      const why = `refused a port: ${handOver.wrong}`
      log(this.#options.logger, 'warn', why, { phase: 'connection' })
      return refusePort(port, 4400, handOver.wrong)
    }
    const { lack } = this.#served
    if (lack) {
      logFailure(this.#options.logger, lack, { phase: 'connection' })
      return refusePort(port, 1013, 'The service has not given its handlers yet')
    }
    port.postMessage(ACCEPTED)
    const transport = whenEnded(messagePortTransport(portOfMain(port)), () => {
      this.#transports.delete(transport)
      this.#channels.delete(channel)
      if (typeof id === 'number') this.#ofPages.delete(id)
    })
    const { id, identity } = data as { id?: unknown; identity?: unknown }
    const channel = this.#served.open(transport, identity)
    this.#transports.add(transport)
    if (typeof id === 'number') this.#ofPages.set(id, transport)
    this.#channels.add(channel)
  }
}
