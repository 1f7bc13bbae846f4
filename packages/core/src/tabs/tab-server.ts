import type { HandlerContext } from '../calls/functions.js'
import { notFound, notMounted } from '../calls/refusals.js'
import { type Next, passMeta, passOn } from '../channels/pass-on.js'
import type { ClientSettings } from '../client/client-options.js'
import { LastingClient } from '../client/lasting-client.js'
import type { ClientState } from '../client/state.js'
import { DISCOVER } from '../features/discovery/discover.js'
import { OF_CLIENTS } from '../presets/of-clients.js'
import type { MessagePortLike } from '../transport/ports.js'
import { Tab, type TabOptions } from './tab.js'
import type { LinkState } from './tab-messages.js'

/** The options of the worker's one connection to the server. */
export type TabsOptions = Pick<
  ClientSettings,
  | 'codec'
  | 'connectTimeoutMs'
  | 'dialect'
  | 'frameType'
  | 'heartbeat'
  | 'limits'
  | 'logger'
  | 'plain'
  | 'resume'
  | 'retry'
>

/**
 * The program of a shared worker. For the server it is one client, as a single page would be. For its tabs it is a
 * server that passes on their calls. It has no contract, so that it validates nothing.
 */
export class TabServer {
  readonly #options: TabsOptions
  readonly #lock: Promise<string | undefined>
  readonly #silenceMs: number
  readonly #tabChannel: TabOptions['channel']
  /** The tabs, in the order in which the user saw them last. */
  readonly #tabs = new Set<Tab>()
  /** The methods that the server can call now, each with the function that removes it. */
  readonly #exposed = new Map<string, () => void>()
  #client: LastingClient | undefined
  /** The state that the tabs were told last. */
  #reported: LinkState | undefined
  /** The owner of the connection, while there are tabs. */
  #owner: string | undefined

  /**
   * @param lock the name of the lock that this program holds, once it does.
   * @param silenceMs how long a tab that may be dead may be silent, in ms.
   */
  constructor(options: TabsOptions, lock: Promise<string | undefined>, silenceMs = 30_000) {
    this.#silenceMs = silenceMs
    this.#options = options
    this.#lock = lock
    const {
      connectTimeoutMs: _,
      dialect: __,
      plain: ___,
      resume: ____,
      retry: _____,
      ...both
    } = options
    this.#tabChannel = {
      ...both,
      use: passMeta,
      fallback: (params, context) => passOn(this.#connected, params, context),
      discover: () => discoverAt(this.#connected),
      members: (params, context) => passOn(this.#connected, params, context),
    }
    // A wrong option throws here, and not when the first tab comes.
    void this.#createClient().close()
  }

  /** Serves a tab at the other end of a port. */
  async accept(port: MessagePortLike): Promise<void> {
    new Tab(port, await this.#lock, {
      channel: this.#tabChannel,
      silenceMs: this.#silenceMs,
      server: () => {
        const { status, sessionId } = this.#client?.state ?? {}
        const keys = this.#client?.keys
        return { isConnected: status === 'connected', session: sessionId ?? null, keys }
      },
      events: {
        joined: (tab, owner) => this.#joined(tab, owner),
        seen: (tab) => this.#seen(tab),
        hurry: () => this.#client?.reconnect(),
        methods: () => this.#exposeUnion(),
        left: (tab) => this.#left(tab),
      },
    })
  }

  // ── The server ────────────────────────────────────────────────────────────────────────────────

  get #connected(): LastingClient {
    // A tab has a channel only while there is one.
    return this.#client as LastingClient
  }

  #createClient(): LastingClient {
    return new LastingClient(
      undefined,
      {
        ...this.#options,
        url: () => this.#askUrl(),
        autoConnect: false,
        use: passMeta,
        fallback: this.#toTabs,
        discover: () => discoverAt(this.#newestFirst()[0]?.channel),
      },
      OF_CLIENTS,
    )
  }

  async #askUrl(): Promise<string> {
    const [newest] = this.#newestFirst()
    if (!newest) throw new Error('there is no tab any more')
    return newest.askUrl()
  }

  #changed(state: ClientState): void {
    const before = this.#reported
    const now = linkStateOf(state)
    if (before && isAlike(before, now)) return
    this.#reported = now
    // This comes first: when its connection ends, a tab must know that another one follows.
    for (const tab of this.#tabs) tab.send({ flashrpc: 'state', state: now })
    if (before?.status === 'connected' && now.status !== 'connected') {
      const { message: reason, closeCode: code } = now.failure ?? LOST
      for (const tab of this.#tabs) tab.hangUp({ code, reason })
    }
    if (before?.status !== 'connected' && now.status === 'connected') {
      for (const tab of this.#tabs) tab.open()
    }
  }

  // ── The tabs ──────────────────────────────────────────────────────────────────────────────────

  #joined(tab: Tab, owner: string | undefined): void {
    // The server can't tell the tabs apart, so a tab of another owner must not use this connection.
    if (this.#tabs.size > 0 && owner !== this.#owner) return tab.send({ flashrpc: 'alone' })
    this.#owner = owner
    if (!this.#client) {
      this.#client = this.#createClient()
      this.#client.subscribe((state) => this.#changed(state))
    }
    const client = this.#client
    this.#tabs.add(tab)
    if (client.state.status !== 'connected') void client.connect()
    tab.send({ flashrpc: 'state', state: linkStateOf(client.state) })
    if (client.state.status === 'connected') tab.open()
  }

  #seen(tab: Tab): void {
    if (!tab.isVisible || !this.#tabs.delete(tab)) return
    this.#tabs.add(tab)
  }

  #left(tab: Tab): void {
    this.#tabs.delete(tab)
    this.#exposeUnion()
    if (this.#tabs.size > 0) return
    // No tab needs the connection. The next tab gets another one.
    void this.#client?.close()
    this.#client = undefined
    this.#reported = undefined
    this.#exposed.clear()
  }

  /** @returns the tabs: first those that the user sees, the one seen last before the others. */
  #newestFirst(): Tab[] {
    const newest = [...this.#tabs].reverse()
    return [...newest.filter((tab) => tab.isVisible), ...newest.filter((tab) => !tab.isVisible)]
  }

  // ── What the server calls ─────────────────────────────────────────────────────────────────────

  /** Exposes to the server the methods of all tabs. */
  #exposeUnion(): void {
    const client = this.#client
    if (!client) return
    const union = new Set([...this.#tabs].flatMap(({ methods }) => [...methods]))
    for (const [name, takeAway] of this.#exposed) {
      if (union.has(name)) continue
      this.#exposed.delete(name)
      takeAway()
    }
    for (const name of union) {
      if (this.#exposed.has(name)) continue
      this.#exposed.set(name, client.expose(name, this.#toTabs))
    }
  }

  readonly #toTabs = (params: unknown, context: HandlerContext): unknown => {
    const { method, kind } = context
    const tabs = this.#newestFirst().filter(({ channel }) => channel)
    const having = tabs.filter(({ methods }) => methods.has(method))
    // A tab without the handler may be about to mount it. If not, it answers with the reason.
    const eligible = having.length > 0 ? having : tabs
    if (kind === 'notification') {
      return Promise.all(eligible.map((tab) => passTo(tab, params, context)))
    }
    const [first] = eligible
    if (!first) throw notMounted(method)
    return passTo(first, params, context)
  }
}

const LOST = { message: 'The connection to the server was lost', closeCode: 1006 }

function passTo({ channel }: Tab, params: unknown, context: HandlerContext): unknown {
  return channel && passOn(channel, params, context)
}

/** The answer to a request for the methods of a side: a promise, which is awaited. */
function discoverAt(peer: Next | undefined): object {
  return peer?.call(DISCOVER) ?? Promise.reject(notFound(DISCOVER))
}

function linkStateOf({ status, attempt, retryAt, latencyMs, lastError }: ClientState): LinkState {
  const { closeCode = 1006 } = (lastError ?? {}) as { closeCode?: number }
  const failure = lastError && { message: lastError.message, closeCode }
  return { status, attempt, retryAt, latencyMs, failure }
}

function isAlike(one: LinkState, other: LinkState): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
