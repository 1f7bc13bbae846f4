/// <reference lib="esnext.disposable" preserve="true" />
import type {
  Audience,
  Authorizer,
  ChannelHooks,
  ChannelOptions,
  CloseInfo,
  Handlers,
  Implementable,
  PresenceOptions,
  ServerChannel,
} from '@flashrpc/core'
import type { DiscoveryOption } from '@flashrpc/core/discovery'
import type { BrowserWindow, IpcMain, UtilityProcess, WebContents } from 'electron'
import type { Allow } from './allow.js'
import type { ElectronFrame, ElectronPage } from './page.js'
import type { ElectronTarget } from './target.js'

/** What a host is made with. */
export interface ElectronHostOptions<Local, Remote, Identity = ElectronPage, Literal = never>
  extends Omit<ChannelOptions, 'dialect' | 'discover' | 'heartbeat'>,
    ChannelHooks<ServerChannel<Local, Remote, Identity>> {
  /** Electron's own: the host imports nothing of Electron. */
  ipcMain: IpcMain
  /**
   * Which pages may connect: their exact origins, such as `['app://demo']`, of whole windows only; or
   * a function `(frame, webContents) => boolean` that is asked of frames too, and answers at once.
   */
  allow: Allow
  /**
   * Says who a page is: `identity` in every handler and on its channel. Throw an `RpcError` to refuse
   * the page with its message: with the code `ErrorCode.unauthorized` its client is `unauthorized`, and
   * `connect()` asks again; with another it is `failed`. Anything else that is thrown, errors of this library's own included (a
   * call that timed out, a wrong option), is not told, and the page tries again. Default: the {@link ElectronPage}
   * itself.
   */
  identify?: (page: ElectronPage) => Identity | Promise<Identity>
  /** Says of each call whether it may run; one that may not is answered −32002. Default: all may. */
  authorize?: Authorizer<Local, ServerChannel<Local, Remote, Identity>>
  /**
   * Tell pages that ask (`rpc.discover`) what they may call, as an OpenRPC document of the contract; its
   * title, version and description may be given, or what answers instead. Default: false.
   */
  discover?: DiscoveryOption
  /** The methods that pages can call. Default: those that `implement` is given. */
  methods?: Handlers<Local, ServerChannel<Local, Remote, Identity>, Literal> | undefined
  /** Lets pages see who is in a group, live. `allow` decides who may see which group. Default: nobody may. */
  presence?: PresenceOptions<ServerChannel<Local, Remote, Identity>>
  /**
   * The name by which pages reach this host, if there are several: `electronTransport({ name })`. 1 to 64
   * characters. Default `default`.
   */
  name?: string
}

/** A page, or another sender of a hand-over, that was not let in. */
export interface Refusal {
  /** What it was told. */
  readonly reason: string
  /** The close code it was told: 4400 malformed, 4401 and 4403 not allowed, 1011 failed here, 1013 not now. */
  readonly code: number
  /** The window; undefined if the sender was gone already. */
  readonly webContents: WebContents | undefined
  /** The frame; undefined if it was gone already. */
  readonly frame: ElectronFrame | undefined
  /** What `allow` or `identify` threw. */
  readonly cause?: unknown
}

/** What a host tells of. */
export interface ElectronHostEvents<Ch> {
  /** A page is ready for calls. */
  connect: [channel: Ch, page: ElectronPage]
  /** A page that was told of has gone; its calls have been rejected. */
  disconnect: [channel: Ch, reason: CloseInfo]
  /** A page was refused. */
  refused: [refusal: Refusal]
  /** Something failed here that is no one channel's: a listener, `allow`, `identify`. */
  error: [error: unknown]
}

/** Main's end of the channels to its windows. */
export interface ElectronHost<Local, Remote, Identity = ElectronPage>
  extends AsyncDisposable,
    Implementable<Local, ServerChannel<Local, Remote, Identity>> {
  /** The channels of the pages that are connected now, the newest last. */
  readonly channels: ReadonlySet<ServerChannel<Local, Remote, Identity>>
  /** All pages that are connected, to be called together. */
  readonly all: Audience<Remote, ServerChannel<Local, Remote, Identity>>
  /**
   * The pages whose channels have joined a group (`channel.join`), to be called together.
   *
   * @throws {RpcConfigError} if the name is not a text, or is empty.
   */
  group(name: string): Audience<Remote, ServerChannel<Local, Remote, Identity>>
  /**
   * The channel of the page that a window shows now, or of a frame. After a reload it is another.
   *
   * If no page is connected, or the window is gone, it is a closed one, whose calls reject with
   * `RpcDisconnectedError` (`not-sent`); {@link whenConnected} waits instead.
   */
  channelOf(target: ElectronTarget): ServerChannel<Local, Remote, Identity>
  /**
   * The channel of the page that a window shows, as soon as it is ready for calls.
   *
   * @param options `timeout`: how long to wait, in ms. Default 30,000.
   * @throws {RpcTimeoutError} if no page connects in time.
   * @throws {RpcDisconnectedError} if the window is gone, or the host is closed.
   */
  whenConnected(
    target: ElectronTarget,
    options?: { timeout?: number },
  ): Promise<ServerChannel<Local, Remote, Identity>>
  /** Which page a channel of this host is of, or was: `pageOf(outcome.channel)`. */
  pageOf(channel: ServerChannel<Local, Remote, Identity>): ElectronPage | undefined
  /**
   * Lets a window's pages talk to a utility process past the main thread: their
   * `electronTransport({ name })` ends there, at its `serveUtility`. `allow` is asked first, and what
   * `identify` says goes with the port. It holds for all pages of the window, one after another.
   *
   * @returns takes the pipe away; what is connected stays.
   * @throws {RpcConfigError} if the name is none, or is taken by a host, or by a pipe of the window.
   */
  pipe(window: BrowserWindow | WebContents, child: UtilityProcess, name: string): () => void
  /** Listens. A listener that throws keeps no other from hearing; `error` is told of it. */
  on<K extends keyof ElectronHostEvents<0>>(
    event: K,
    listener: (...args: ElectronHostEvents<ServerChannel<Local, Remote, Identity>>[K]) => unknown,
  ): this
  /** Listens for the next one only. */
  once<K extends keyof ElectronHostEvents<0>>(
    event: K,
    listener: (...args: ElectronHostEvents<ServerChannel<Local, Remote, Identity>>[K]) => unknown,
  ): this
  /** Removes a listener. */
  off<K extends keyof ElectronHostEvents<0>>(
    event: K,
    listener: (...args: ElectronHostEvents<ServerChannel<Local, Remote, Identity>>[K]) => unknown,
  ): this
  /**
   * Accepts no more pages and closes every channel (1001), having told each that main leaves: a call that comes
   * after that is not run, and given back to the page. Safe to call twice.
   *
   * @param options `drain`: how long, in ms, calls that run may take to finish first. Streams, which may have no
   *   end, are not waited for. Default 0.
   */
  close(options?: { drain?: number }): Promise<void>
}
