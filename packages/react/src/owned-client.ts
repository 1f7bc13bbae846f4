import {
  type AnyClient,
  type ClientSettings,
  type ClientTarget,
  type Contract,
  createClient,
} from '@flashrpc/core'
import { shallow } from 'zustand/shallow'
import { refusingOnServers } from './server-rendering.js'

/** What a provider makes a client of. */
export type ClientSource = ClientTarget & { contract?: Contract | undefined } & ClientSettings

/**
 * How long a client stays connected after its last call, in ms, where no provider has held it yet: React throws away what
 * it has begun to render, and renders it again when a call has its answer.
 */
const LINGER_MS = 5_000

/** Those that no provider has held yet: made in this turn, or called since. */
const unheld = new Set<OwnedClient>()

/**
 * A client that a provider makes, connects and closes.
 *
 * It connects while a provider holds it, and closes when none does any more. Both wait for the end of the turn: React's
 * StrictMode, and fast refresh, let go and take hold again at once, and that shall be one socket.
 *
 * A provider holds it once it is mounted, which may itself wait for a call: where that was made while rendering, beneath
 * a Suspense boundary that is above the provider. So a call connects it, too. Where nobody comes to hold it, it closes
 * when its calls are over.
 */
export class OwnedClient {
  /** What it was made of. */
  readonly source: ClientSource
  readonly client: AnyClient
  #newest: ClientSource
  #isMounted = false
  #holder: object | undefined
  #holds = 0
  #isLetGo = false
  #lingering: ReturnType<typeof setTimeout> | undefined
  #stopWatching = (): void => {}

  /**
   * The client that an earlier attempt to render the same provider has called, or a new one.
   *
   * @throws {RpcConfigError} where the target or an option is wrong.
   */
  static for(source: ClientSource): OwnedClient {
    for (const owned of unheld) {
      if (owned.#wasCalled && shallow(owned.source, source)) return owned
    }
    return new OwnedClient(source)
  }

  private constructor(source: ClientSource) {
    this.source = source
    this.#newest = source
    const { contract, url, transport, use, ...settings } = source
    // Functions written inline are other functions at every render: the newest is asked when needed.
    const target: ClientTarget = transport
      ? { transport: (attempt) => (this.#newest.transport ?? transport)(attempt) }
      : { url: typeof url === 'function' ? () => this.#newestUrl(url) : (url as string) }
    const around = isServer() ? refusingOnServers(use, () => this.#isMounted) : use
    const options = {
      ...settings,
      ...target,
      ...(around !== undefined && { use: around }),
      autoConnect: false,
    }
    this.client = contract ? createClient(contract, options) : createClient(options)
    if (isServer()) return
    unheld.add(this)
    this.#stopWatching = this.client.subscribe(() => this.#look())
    queueMicrotask(() => this.#look())
  }

  /** Whether it was closed because no provider came to hold it. */
  get isLetGo(): boolean {
    return this.#isLetGo
  }

  /** From now on the functions of this source are asked: that of the newest render. */
  follow(source: ClientSource): void {
    this.#newest = source
  }

  /** Another one like it. */
  again(): OwnedClient {
    return new OwnedClient(this.#newest)
  }

  /** A provider with it is in the page, or is about to be in this turn: nothing is rendered on a server here. */
  mounted(): void {
    this.#isMounted = true
  }

  /**
   * A provider shows it.
   *
   * @param holder that provider, at each mounting the same.
   * @returns the provider no longer does; undefined where it is another provider's.
   */
  hold(holder: object): (() => void) | undefined {
    if (this.#holder !== undefined && this.#holder !== holder) return undefined
    this.#holder = holder
    this.#found()
    this.#holds++
    queueMicrotask(() => this.#settle())
    return () => {
      this.#holds--
      queueMicrotask(() => this.#settle())
    }
  }

  #settle(): void {
    if (this.#holds > 0) void this.client.connect()
    else void this.client.close()
  }

  /** Whether it has something to do, or had. */
  get #wasCalled(): boolean {
    const { status, inFlight, queued } = this.client.state
    return status !== 'idle' || inFlight + queued > 0
  }

  /** As long as nobody holds it: connects it for its calls, and not longer. */
  #look(): void {
    if (this.#holder !== undefined || this.#isLetGo) return
    clearTimeout(this.#lingering)
    if (!this.#wasCalled) {
      unheld.delete(this)
      return
    }
    const { status, inFlight, queued } = this.client.state
    unheld.add(this)
    if (status === 'idle') void this.client.connect()
    if (inFlight + queued === 0) this.#lingering = setTimeout(() => this.#letGo(), LINGER_MS)
  }

  #letGo(): void {
    this.#isLetGo = true
    this.#found()
    void this.client.close()
  }

  /** It is held, or will never be. */
  #found(): void {
    this.#stopWatching()
    clearTimeout(this.#lingering)
    unheld.delete(this)
  }

  #newestUrl(first: () => string | Promise<string>): string | Promise<string> {
    return typeof this.#newest.url === 'function' ? this.#newest.url() : first()
  }
}

/** Connects a client of the application's that waits to be told so, when it is called. */
export function connectWhenCalled(client: AnyClient): void {
  if (watched.has(client) || client.state.status !== 'idle') return
  watched.add(client)
  const stop = client.subscribe(({ status, inFlight, queued }) => {
    if (status === 'idle' && inFlight + queued === 0) return
    stop()
    if (status === 'idle') void client.connect()
  })
}

const watched = new WeakSet<AnyClient>()

/** Whether this may be a server that renders pages: then no effect is run, so that nothing is ever mounted. */
function isServer(): boolean {
  return typeof window === 'undefined'
}
