import {
  type Audience,
  type Contract,
  type ContractSide,
  createAudience,
  createGroup,
  ErrorCode,
  messagePortTransport,
  RpcConfigError,
  RpcDisconnectedError,
} from '@flashrpc/core'
import { resolveDiscovery } from '@flashrpc/core/discovery'
import {
  type AnyServerChannel,
  assertDuration,
  assertFunction,
  assertOptions,
  contractAndOptions,
  errorForCaller,
  type ImplementArguments,
  listOf,
  log,
  logFailure,
  MAX_TIMER_MS,
  type OptionKinds,
  plain,
  quoted,
  SERVER_CHANNEL_OPTIONS,
  ServedChannels,
  type ServedOptions,
} from '@flashrpc/core/internal'
import type { BrowserWindow, MessagePortMain, UtilityProcess, WebContents } from 'electron'
import { type CloseOptions, drainOf } from '../close-options.js'
import { ACCEPTED, DECIDING, DEFAULT_NAME, isHandOverName } from '../hand-over.js'
import { portOfMain } from '../port-main.js'
import { refusePort } from '../refuse-port.js'
import { whenEnded } from '../when-ended.js'
import { type Judge, judgeOf } from './allow.js'
import { Decisions, type Verdict } from './decisions.js'
import type {
  ElectronHost,
  ElectronHostEvents,
  ElectronHostOptions,
  Refusal,
} from './electron-host.js'
import { addTaker, type HandedOver } from './hand-overs.js'
import { type Link, Links } from './link.js'
import { Listeners } from './listeners.js'
import type { ElectronPage } from './page.js'
import { type Pipe, Pipes } from './pipes.js'
import { type ElectronTarget, locate, whyNowhere } from './target.js'
import { whenConnected } from './when-connected.js'
import { watchWindow } from './window-watch.js'

/**
 * Hosts the pages of an Electron app: to be called in main, before the first window loads.
 *
 * Each page has a channel of its own; a reload makes another. Nothing that a page sends makes it
 * throw: what is wrong is refused, told to the page and to `refused`.
 *
 * @throws {RpcConfigError} if an option, an origin or a method's name is wrong.
 */
export function createElectronHost<
  Server extends ContractSide,
  Client extends ContractSide,
  Identity = ElectronPage,
  const Literal = never,
>(
  contract: Contract<Server, Client>,
  options: ElectronHostOptions<Server, Client, Identity, Literal>,
): ElectronHost<Server, Client, Identity>
/** The same without a contract, and so without validation: for pages that main trusts. */
export function createElectronHost<
  Local extends object,
  Remote extends object = Record<never, never>,
  Identity = ElectronPage,
  const Literal = never,
>(
  options: ElectronHostOptions<Local, Remote, Identity, Literal>,
): ElectronHost<Local, Remote, Identity>
export function createElectronHost(
  ...args: [UntypedOptions] | [Contract, UntypedOptions]
): unknown {
  return new Host(...contractAndOptions<UntypedOptions>('createElectronHost', args, HOST_OPTIONS))
}

// biome-ignore lint/suspicious/noExplicitAny: it stands for every pair of sides, and only `any` does
type UntypedOptions = ElectronHostOptions<any, any, any>

const HOST_OPTIONS = {
  ...SERVER_CHANNEL_OPTIONS,
  dialect: undefined,
  heartbeat: undefined,
  ipcMain: 'elsewhere',
  allow: 'elsewhere',
  identify: 'function',
  name: 'elsewhere',
  presence: 'elsewhere',
} as const satisfies OptionKinds<UntypedOptions, 'dialect' | 'heartbeat'>

const WAIT_OPTIONS = { timeout: 'elsewhere' }

interface Events extends ElectronHostEvents<AnyServerChannel> {
  closed: []
}

/** What fails if a listener of `error` does. */
const ON_ERROR = "on('error')"

/** Another page of the frame has taken its place; to come back would only take it back. */
const REPLACED = 4409
/** No page is connected: the code of a closed channel, which is never sent. */
const NO_PAGE = 4404

/** A host, its types gone. */
class Host {
  readonly channels: ReadonlySet<AnyServerChannel>
  readonly all: Audience<object, AnyServerChannel>
  readonly #options: UntypedOptions
  readonly #served: ServedChannels
  readonly #judge: Judge
  readonly #channels = new Set<AnyServerChannel>()
  readonly #pages = new WeakMap<AnyServerChannel, ElectronPage>()
  readonly #links = new Links()
  readonly #pipes = new Pipes()
  readonly #decisions: Decisions
  /** What ends the watch over each window that has a link or a pipe, by `webContents.id`. */
  readonly #watches = new Map<number, () => void>()
  readonly #listeners: Listeners<Events> = new Listeners((thrown, event) =>
    this.#failed(thrown, `on('${event}')`),
  )
  readonly #leave: () => void
  #closing: Promise<void> | undefined

  constructor(contract: Contract | undefined, options: UntypedOptions) {
    assertHostOptions(options)
    const { name = DEFAULT_NAME } = options
    this.#options = options
    this.#served = new ServedChannels(contract, this.#channelOptions, {
      made: 'host',
      before: 'its first page connects',
    })
    this.#judge = judgeOf(options.allow)
    const { identify = (page: ElectronPage) => page } = options
    this.#decisions = new Decisions(identify)
    this.channels = this.#channels
    this.all = createAudience(() => this.#channels)
    this.#leave = addTaker(options.ipcMain, {
      name,
      takes: (wanted, id) => wanted === name || this.#pipes.find(id, wanted) !== undefined,
      take: (handedOver) => this.#take(handedOver),
      refused: ({ page, code, reason }) => this.#tellRefusal(page, code, reason),
    })
  }

  group(name: string): Audience<object, AnyServerChannel> {
    return createGroup(() => this.#channels, name)
  }

  channelOf(target: ElectronTarget): AnyServerChannel {
    const place = locate(target)
    const channel = place && this.#links.find(place)?.open?.channel
    if (channel) return channel
    const why = place ? 'No page of this window is connected' : whyNowhere(target)
    return this.#served.closed(NO_PAGE, why)
  }

  implement(...args: ImplementArguments): void {
    this.#served.implement(...args)
  }

  async whenConnected(
    target: ElectronTarget,
    options: { timeout?: number } = {},
  ): Promise<AnyServerChannel> {
    assertOptions('whenConnected', options, WAIT_OPTIONS)
    const { timeout = 30_000 } = options
    assertDuration('whenConnected: timeout', timeout)
    const place = locate(target)
    if (!place) throw new RpcDisconnectedError(whyNowhere(target), 'not-sent')
    if (this.#closing) throw new RpcDisconnectedError('The host is closed', 'not-sent')
    return whenConnected({
      look: () => {
        const channel = this.#links.find(place)?.open?.channel
        return channel?.isConnected ? channel : undefined
      },
      subscribe: (change, closed) => {
        this.#listeners.on('connect', change).on('closed', closed)
        return () => this.#listeners.off('connect', change).off('closed', closed)
      },
      webContents: 'webContents' in place ? place.webContents : undefined,
      timeout: Math.min(timeout, MAX_TIMER_MS),
    })
  }

  pageOf(channel: AnyServerChannel): ElectronPage | undefined {
    return this.#pages.get(channel)
  }

  pipe(window: BrowserWindow | WebContents, child: UtilityProcess, name: string): () => void {
    const place = locate(window)
    if (!place || !('webContents' in place))
      throw new RpcConfigError(
        place ? 'A pipe is of a window, and was given a frame' : whyNowhere(window),
      )
    if (name === (this.#options.name ?? DEFAULT_NAME)) {
      throw new RpcConfigError(`"${name}" is the host's own name: give the pipe another`)
    }
    const { webContents, webContentsId } = place
    const remove = this.#pipes.add(webContentsId, child, name)
    this.#watch(webContents, webContentsId)
    return remove
  }

  on<K extends keyof Events>(event: K, listener: (...args: Events[K]) => unknown): this {
    assertFunction('on', listener)
    this.#listeners.on(event, listener)
    return this
  }

  once<K extends keyof Events>(event: K, listener: (...args: Events[K]) => unknown): this {
    assertFunction('once', listener)
    this.#listeners.once(event, listener)
    return this
  }

  off<K extends keyof Events>(event: K, listener: (...args: Events[K]) => unknown): this {
    this.#listeners.off(event, listener)
    return this
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

  /** A port was handed over, by a page that still has to prove that it may. */
  #take({ handOver: { name }, port, page }: HandedOver): void {
    if (this.#closing) return this.#refuse(port, page, 1013, 'Main is closing')
    let wrong: string | undefined
    try {
      wrong = this.#judge(page)
    } catch (cause) {
      const why = 'Main could not say whether this page is allowed'
      return this.#refuse(port, page, 1011, why, { cause, hook: 'allow' })
    }
    if (wrong !== undefined) return this.#refuse(port, page, 4403, wrong)
    const pipe = this.#pipes.find(page.webContentsId, name)
    const taken = pipe ? this.#takeForPipe(pipe, port, page) : this.#takeForHost(port, page)
    taken.catch((cause) =>
      this.#refuse(port, page, 1011, 'Main could not take the port', { cause }),
    )
  }

  async #takeForHost(port: MessagePortMain, page: ElectronPage): Promise<void> {
    const { lack } = this.#served
    if (lack) {
      const why = 'Main has not given its handlers yet'
      return this.#refuse(port, page, 1013, why, { cause: lack })
    }
    const link: Link = { page, port, isOutgoing: false, open: undefined }
    const before = this.#links.put(link)
    if (before) this.#end(before, REPLACED, 'Another connection of this page has taken its place')
    this.#watch(page.webContents, page.webContentsId)
    port.once('close', () => {
      if (!link.open) this.#forget(link)
    })
    const verdict = await this.#decide(page, port)
    // Meanwhile the page may have gone, or tried again.
    if (!this.#links.has(link)) return
    this.#decisions.told(page)
    if ('cause' in verdict) {
      this.#forget(link)
      return this.#refuseUnknown(port, page, verdict.cause)
    }
    port.postMessage(ACCEPTED)
    this.#open(link, verdict.identity)
  }

  async #takeForPipe(pipe: Pipe, port: MessagePortMain, page: ElectronPage): Promise<void> {
    if (pipe.hasEnded) {
      return this.#refuse(port, page, 1013, `The process behind "${pipe.name}" has ended`)
    }
    let isGone = false
    port.once('close', () => {
      isGone = true
    })
    const verdict = await this.#decide(page, port)
    if (isGone) return
    this.#decisions.told(page)
    if ('cause' in verdict) return this.#refuseUnknown(port, page, verdict.cause)
    try {
      // A window can't be cloned; its page can.
      const isPage = this.#options.identify === undefined
      this.#pipes.handOn(pipe, port, page, isPage ? { frame: page.frame } : verdict.identity)
    } catch (cause) {
      const why = `What identify said of this page can't be handed on to "${pipe.name}"`
      this.#refuse(port, page, 1011, why, { cause, hook: 'identify' })
    }
  }

  /** Finds out who a page is. If the answer is not there at once, the page is told that it must wait. */
  #decide(page: ElectronPage, port: MessagePortMain): Verdict | Promise<Verdict> {
    const verdict = this.#decisions.of(page)
    if (verdict instanceof Promise) port.postMessage(DECIDING)
    return verdict
  }

  #refuseUnknown(port: MessagePortMain, page: ElectronPage, cause: unknown): void {
    const { code, reason } = describeFailure(cause)
    this.#refuse(port, page, code, reason, { cause, hook: 'identify' })
  }

  #open(link: Link, identity: unknown): void {
    const { port, page } = link
    const transport = whenEnded(messagePortTransport(portOfMain(port)), () => this.#forget(link))
    const channel = this.#served.open(transport, identity)
    link.open = { channel, transport }
    this.#channels.add(channel)
    this.#pages.set(channel, page)
  }

  /** Ends a page's connection. */
  #end(link: Link, code: number, reason: string): void {
    this.#forget(link)
    if (link.open) link.open.transport.close(code, reason)
    else refusePort(link.port, code, reason)
  }

  #forget(link: Link): void {
    this.#links.delete(link)
    if (link.open) this.#channels.delete(link.open.channel)
  }

  /** Ends what a window's pages leave behind, should their ports not say so. */
  #watch(webContents: WebContents, id: number): void {
    if (this.#watches.has(id)) return
    const links = () => this.#links.ofWindow(id)
    const unwatch = watchWindow(webContents, {
      navigating: () => {
        this.#decisions.navigating(id)
        this.#pipes.navigating(id)
        for (const link of links()) link.isOutgoing = true
      },
      navigated: () => {
        this.#decisions.navigated(id)
        this.#pipes.navigated(id)
        // The page that has come may have connected already: it is none of those.
        for (const link of links()) {
          if (link.isOutgoing) this.#end(link, 1001, 'The page has gone')
        }
      },
      crashed: (reason) => {
        this.#decisions.gone(id)
        this.#pipes.gone(id, 1006, reason)
        for (const link of links()) this.#end(link, 1006, reason)
      },
      destroyed: () => {
        for (const link of links()) this.#end(link, 1001, 'The window is gone')
        this.#decisions.gone(id)
        this.#pipes.gone(id, 1001, 'The window is gone')
        this.#pipes.forget(id)
        this.#watches.delete(id)
      },
    })
    this.#watches.set(id, unwatch)
  }

  #refuse(
    port: MessagePortMain,
    page: ElectronPage,
    code: number,
    reason: string,
    failure?: { readonly cause: unknown; readonly hook?: string },
  ): void {
    refusePort(port, code, reason)
    this.#tellRefusal(page, code, reason, failure?.cause)
    if (failure) this.#failed(failure.cause, failure.hook)
  }

  #tellRefusal(
    page: ElectronPage | undefined,
    code: number,
    reason: string,
    cause?: unknown,
  ): void {
    const { webContents, frame } = page ?? {}
    const refusal: Refusal = { reason, code, webContents, frame, cause }
    log(
      this.#options.logger,
      'warn',
      `refused a page of ${frame ? quoted(frame.origin) : 'nobody'}: ${plain(reason, 1_000)}`,
      { phase: 'connection' },
    )
    this.#listeners.tell('refused', refusal)
  }

  #failed(thrown: unknown, hook?: string): void {
    const phase = hook === undefined ? 'connection' : 'hook'
    logFailure(this.#options.logger, thrown, { phase, hook })
    // A listener of `error` that fails would be told of its own failure, and fail again.
    if (hook !== ON_ERROR) this.#listeners.tell('error', thrown)
  }

  /** The options of the channels. */
  get #channelOptions(): ServedOptions {
    const { ipcMain, allow, identify, name, discover, ...options } = this.#options
    return {
      ...options,
      discover: resolveDiscovery(discover),
      onConnect: [
        ...listOf(options.onConnect),
        (channel) =>
          this.#listeners.tell('connect', channel, this.#pages.get(channel) as ElectronPage),
      ],
      onDisconnect: [
        ...listOf(options.onDisconnect),
        (channel, reason) => this.#listeners.tell('disconnect', channel, reason),
      ],
    }
  }

  /** Waits until no call runs, streams aside; for so long, in ms, at the most. */
  async #drain(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const isLate = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(ms, MAX_TIMER_MS))
    })
    // Calls that arrive from here on are not run; the pages make them again later.
    for (const channel of this.#channels) channel.retire()
    // A page that connects meanwhile is refused, so these are all.
    const served = Promise.all([...this.#channels].map((channel) => channel.whenServed()))
    await Promise.race([served, isLate])
    clearTimeout(timer)
  }

  async #close(drain: number): Promise<void> {
    this.#listeners.tell('closed')
    await this.#drain(drain)
    // Until now, pages that came were told why they are not taken.
    this.#leave()
    this.#decisions.clear()
    for (const link of this.#links.all()) this.#end(link, 1001, 'Main is closing')
    for (const unwatch of this.#watches.values()) unwatch()
    this.#watches.clear()
  }
}

/** What a page is told of a failing `identify`: what it said, where it meant to be heard. */
function describeFailure(cause: unknown): { code: number; reason: string } {
  const told = errorForCaller(cause)
  if (!told) return { code: 1011, reason: 'Main could not find out who this page is' }
  return { code: told.code === ErrorCode.unauthorized ? 4401 : 4403, reason: told.message }
}

function assertHostOptions({ ipcMain, name = DEFAULT_NAME }: UntypedOptions): void {
  if (typeof ipcMain?.on !== 'function') {
    throw new RpcConfigError("ipcMain must be Electron's: import { ipcMain } from 'electron'")
  }
  if (!isHandOverName(name)) {
    throw new RpcConfigError(`name must have 1 to 64 characters. It is ${JSON.stringify(name)}`)
  }
}
