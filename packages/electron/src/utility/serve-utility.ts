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
  messagePortTransport,
  RpcConfigError,
  type ServerChannel,
  type Transport,
} from '@flashrpc/core'
import { type Discovery, type DiscoveryOption, resolveDiscovery } from '@flashrpc/core/discovery'
import {
  contractAndOptions,
  log,
  type OptionKinds,
  SERVER_CHANNEL_OPTIONS,
} from '@flashrpc/core/internal'
import type { MessageEvent, ParentPort } from 'electron'
import { ACCEPTED, claimsHandOver, readGone, readHandOver } from '../hand-over.js'
import { portOfMain } from '../port-main.js'
import { refusePort } from '../refuse-port.js'
import { type AnyServerChannel, closedChannel, openServerChannel } from '../server-channel.js'
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
  /** What main and its pages can call. */
  methods: Handlers<Local, ServerChannel<Local, Remote, Identity>, Literal>
  /** Says of each call whether it may run; one that may not is answered −32002. Default: all may. */
  authorize?: Authorizer<Local, ServerChannel<Local, Remote, Identity>>
}

/** A service in a utility process. */
export interface UtilityService<Local, Remote, Identity = unknown> extends AsyncDisposable {
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
} as const satisfies OptionKinds<UntypedOptions, 'dialect' | 'heartbeat'>

/** The options with what answers `rpc.discover` on all channels. */
type ServiceOptions = Omit<UntypedOptions, 'discover'> & {
  readonly discover: Discovery | undefined
}

/** The parent ports that are served. */
const served = new WeakSet<ParentPort>()

/** A service, its types gone. */
class Service {
  readonly channels: ReadonlySet<AnyServerChannel>
  readonly all: Audience<object, AnyServerChannel>
  readonly #parentPort: ParentPort
  readonly #contract: Contract | undefined
  readonly #options: ServiceOptions
  readonly #channels = new Set<AnyServerChannel>()
  readonly #transports = new Set<Transport>()
  /** The transports of pages, by the id of their hand-over. */
  readonly #ofPages = new Map<number, Transport>()

  constructor(parentPort: ParentPort, contract: Contract | undefined, options: UntypedOptions) {
    if (typeof parentPort?.on !== 'function') {
      throw new RpcConfigError(
        'There is no parentPort: serveUtility(process.parentPort, …) is for a process that utilityProcess.fork() has started',
      )
    }
    if (options.methods === undefined) {
      throw new RpcConfigError('methods is missing: it must be an object of functions')
    }
    if (served.has(parentPort)) {
      throw new RpcConfigError(
        'This process has a service already: close it before you make another',
      )
    }
    // Wrong methods and options fail here, and not at the first page.
    this.#options = { ...options, discover: resolveDiscovery(options.discover) }
    closedChannel(contract, this.#options, 'It was made to see whether it can be')
    this.#parentPort = parentPort
    this.#contract = contract
    this.channels = this.#channels
    this.all = createAudience(() => this.#channels)
    served.add(parentPort)
    parentPort.on('message', this.#onMessage)
  }

  group(name: string): Audience<object, AnyServerChannel> {
    return createGroup(() => this.#channels, name)
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
    port.postMessage(ACCEPTED)
    const transport = whenEnded(messagePortTransport(portOfMain(port)), () => {
      this.#transports.delete(transport)
      this.#channels.delete(channel)
      if (typeof id === 'number') this.#ofPages.delete(id)
    })
    const { id, identity } = data as { id?: unknown; identity?: unknown }
    const channel = openServerChannel(this.#contract, { ...this.#options, transport, identity })
    this.#transports.add(transport)
    if (typeof id === 'number') this.#ofPages.set(id, transport)
    this.#channels.add(channel)
  }
}
