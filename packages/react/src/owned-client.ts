import {
  type AnyClient,
  type ClientSettings,
  type ClientTarget,
  type Contract,
  createClient,
} from '@flashrpc/core'
import { shallow } from 'zustand/shallow'
import { refusingOnServers } from './server-rendering.js'

/** The contract and the options of a provider's own client. */
export type ClientSource = ClientTarget & { contract?: Contract | undefined } & ClientSettings

/**
 * How long, in ms, a client that no provider has held yet stays connected after its last call. React throws away what
 * it has begun to render, and renders it again when the call has its answer.
 */
const LINGER_MS = 5_000

/** The clients that no provider has held yet: made in this turn, or called since. */
const unheld = new Set<OwnedClient>()

/**
 * A client that a provider makes, connects and closes.
 *
 * It connects when a provider holds it, and closes when none does any more. Both happen at the end of the turn,
 * because React's StrictMode and fast refresh let go and take hold again at once, and the socket should stay open.
 *
 * A provider holds it when it is mounted. Mounting may itself wait for a call that was made while rendering, if a
 * Suspense boundary is above the provider. So a call connects the client, too. If no provider comes to hold it, it
 * closes when its calls are over.
 */
export class OwnedClient {
  /** The contract and the options of the client. */
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
   * Returns the client that an earlier attempt to render the same provider has made and called; otherwise a new one.
   *
   * @throws {RpcConfigError} if the target or an option is wrong.
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
    const { contract, url, transport, socket, use, ...settings } = source
    // Functions written inline are new at every render, so the newest one is called.
    const target = {
      transport:
        transport &&
        ((attempt: { signal: AbortSignal }) => (this.#newest.transport ?? transport)(attempt)),
      socket,
      url: typeof url === 'function' ? () => this.#newestUrl(url) : url,
    }
    const around = isServer() ? refusingOnServers(use, () => this.#isMounted) : use
    const options = {
      ...settings,
      ...(target as ClientTarget),
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

  /** From now on, the functions of this source are called: it is that of the newest render. */
  follow(source: ClientSource): void {
    this.#newest = source
  }

  /** Makes a new client from the newest source. */
  again(): OwnedClient {
    return new OwnedClient(this.#newest)
  }

  /** Called when a provider with it is mounted, or will be in this turn: so this is not a server that renders. */
  mounted(): void {
    this.#isMounted = true
  }

  /**
   * A provider begins to use it.
   *
   * @param holder that provider; the same object at each mounting.
   * @returns a function for when the provider no longer does; undefined if another provider uses it.
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

  /** Whether a call was made, or it was connected. */
  get #wasCalled(): boolean {
    const { status, inFlight, queued } = this.client.state
    return status !== 'idle' || inFlight + queued > 0
  }

  /** While no provider holds it: connects it for its calls, and closes it afterwards. */
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

  /** A provider holds it now, or never will. */
  #found(): void {
    this.#stopWatching()
    clearTimeout(this.#lingering)
    unheld.delete(this)
  }

  #newestUrl(first: () => string | Promise<string>): string | Promise<string> {
    return typeof this.#newest.url === 'function' ? this.#newest.url() : first()
  }
}

/** Whether this may be a server that renders pages. Effects do not run there, so nothing is ever mounted. */
function isServer(): boolean {
  return typeof window === 'undefined'
}
