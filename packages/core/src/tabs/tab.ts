import type { KeyedCall } from '../calls/keyed-call.js'
import { type Arrival, type ArrivalHost, arrive } from '../channels/arrival.js'
import { ChannelKind, type ChannelKindOptions } from '../channels/channel-kind.js'
import type { LiveChannel } from '../channels/live-channel.js'
import { quoted } from '../errors/quoted.js'
import { answering } from '../features/keys/answering.js'
import type { HelloParams, Keys } from '../link/hello.js'
import type { HelloDecision } from '../link/server-handshake.js'
import { OF_ENDPOINTS } from '../presets/of-endpoints.js'
import { CloseCode } from '../transport/close-codes.js'
import type { MessagePortLike } from '../transport/ports.js'
import type { CloseInfo } from '../transport/transport.js'
import { whenFree } from './locks.js'
import {
  MESSAGES_VERSION,
  type OpenMessage,
  type TabMessage,
  type WorkerMessage,
} from './tab-messages.js'
import { TabPort } from './tab-port.js'

/** The events of a tab, for the worker. */
export interface TabEvents {
  /** Its client wants a connection of this owner's. */
  joined(tab: Tab, owner: string | undefined): void
  /** The tab has come to the front, or has left it. */
  seen(tab: Tab): void
  /** It wants the next attempt to connect at once. */
  hurry(): void
  /** The methods that have a handler in the tab have changed. */
  methods(): void
  /** The tab is gone, and so is its channel. */
  left(tab: Tab): void
}

export interface TabOptions {
  /** The options of its channels. */
  readonly channel: ChannelKindOptions['options']
  /**
   * Whether the worker is connected to the server, in which session, and the facts of the results that the server keeps
   * by key.
   */
  readonly server: () => { isConnected: boolean; session: string | null; keys: Keys | undefined }
  /** How long a tab whose lock can't be watched may be silent after its connection was lost, in ms. */
  readonly silenceMs: number
  readonly events: TabEvents
}

/** A tab on the side of the worker, for as long as its client wants a connection. */
export class Tab {
  readonly #options: TabOptions
  readonly #host: ArrivalHost
  readonly #port: TabPort<TabMessage, WorkerMessage>
  readonly #watching = new AbortController()
  readonly #questions = new Map<number, (message: TabMessage & { flashrpc: 'url' }) => void>()
  #isVisible = false
  #connections = 0
  #asked = 0
  #channel: LiveChannel | undefined
  #methods = NONE
  #silence: ReturnType<typeof setTimeout> | undefined
  #isOver = false

  constructor(port: MessagePortLike, lock: string | undefined, options: TabOptions) {
    this.#options = options
    const kind = new ChannelKind({
      contract: undefined,
      side: 'server',
      options: options.channel,
      // The server runs the call by its key. Here the call is only passed on.
      features: answering(OF_ENDPOINTS, (call: KeyedCall) => call.run(call.signal)),
      events: {
        down: (channel) => channel === this.#channel && this.#down(),
        ended: (channel) => channel === this.#channel && this.#ended(),
      },
    })
    this.#host = { kind, receive: (hello, arrival) => this.#accept(hello, arrival) }
    this.#port = new TabPort(port, {
      message: (message) => this.#receive(message),
      gone: () => this.leave(GONE),
    })
    this.#port.send({ flashrpc: 'worker', lock, v: MESSAGES_VERSION })
  }

  /** Whether the user sees the tab, as far as the browser reports it. */
  get isVisible(): boolean {
    return this.#isVisible
  }

  /** The channel to the tab; undefined before its first hello. In a session it outlives connections. */
  get channel(): LiveChannel | undefined {
    return this.#channel
  }

  /** The methods that have a handler in the tab. */
  get methods(): ReadonlySet<string> {
    return this.#methods
  }

  send(message: WorkerMessage): void {
    this.#port.send(message)
  }

  /** @returns the address that its client would connect to. Rejects if the tab can't find it out, or is gone. */
  askUrl(): Promise<string> {
    const n = ++this.#asked
    return new Promise((resolve, reject) => {
      const fail = () => reject(new Error('the tab that was asked is gone'))
      this.#watching.signal.addEventListener('abort', fail, { once: true })
      this.#questions.set(n, ({ url, why }) => {
        this.#questions.delete(n)
        this.#watching.signal.removeEventListener('abort', fail)
        if (url === undefined) reject(new Error(why))
        else resolve(url)
      })
      this.send({ flashrpc: 'ask-url', n })
    })
  }

  /** Opens a connection to the server for its client. */
  open(): void {
    const { session } = this.#options.server()
    arrive(this.#host, this.#port.connect(++this.#connections, session), {})
  }

  /** Ends the connection of its client, because the worker has none to the server. The session goes on. */
  hangUp(info: CloseInfo): void {
    this.#port.drop(info)
  }

  /** Removes the tab: the calls in both directions end. */
  leave(info: CloseInfo): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#watching.abort()
    this.#channel?.end(info)
    this.#port.close(info)
    // This comes last, because the end of the connection starts the timer.
    clearTimeout(this.#silence)
    this.#options.events.left(this)
  }

  #receive(message: TabMessage | OpenMessage): void {
    clearTimeout(this.#silence)
    const { events, server } = this.#options
    if (message.flashrpc === 'tab') {
      this.#isVisible = message.isVisible
      this.#port.isWatched = message.lock !== undefined
      whenFree(message.lock, this.#watching.signal, () => this.leave(GONE))
      events.joined(this, message.owner)
    } else if (message.flashrpc === 'seen') {
      this.#isVisible = message.isVisible
      events.seen(this)
    } else if (message.flashrpc === 'url') this.#questions.get(message.n)?.(message)
    else if (message.flashrpc === 'hurry') events.hurry()
    else if (message.flashrpc === 'again' && server().isConnected) this.open()
    else if (message.flashrpc === 'bye') this.leave(STOPPED)
  }

  /** Decides which channel takes a connection: that of its session, or a new one. */
  #accept({ resume, limits }: HelloParams, arrival: Arrival): HelloDecision {
    const { keys } = this.#options.server()
    const common = { spreadMs: 0, ...(keys && { keys }) }
    const before = this.#channel
    if (before && resume?.sid === before.id) {
      const recv = arrival.resume(before, resume.recv)
      if (recv === undefined) {
        const fault = 'which is less than before or more than was sent'
        const reason = `The protocol was broken: a recv of ${quoted(resume.recv)}, ${fault}`
        return { refuse: { code: CloseCode.violation, reason } }
      }
      const { sid, token } = resume
      return { accept: { ...common, sid, token, resumed: true, recv } }
    }
    const { channel } = arrival
    this.#channel = channel
    before?.end(REPLACED)
    channel.onMethods((methods) => {
      if (channel !== this.#channel) return
      this.#methods = methods
      this.#options.events.methods()
    })
    if (limits.buf === undefined) return { accept: { ...common, sid: channel.id, resumed: false } }
    channel.begin(limits.buf)
    // No proof is needed, because the port belongs to the tab.
    const kept = { token: channel.id, recv: 0 }
    return { accept: { ...common, sid: channel.id, resumed: false, ...kept } }
  }

  #down(): void {
    const { server, silenceMs } = this.#options
    if (this.#port.isWatched || !server().isConnected) return
    this.#silence = setTimeout(() => this.leave(GONE), silenceMs)
  }

  #ended(): void {
    this.#channel = undefined
    this.#methods = NONE
    this.#options.events.methods()
  }
}

const NONE: ReadonlySet<string> = new Set()

const GONE: CloseInfo = { code: CloseCode.goingAway, reason: 'The tab is gone' }
const STOPPED: CloseInfo = { code: CloseCode.normal, reason: 'The client in the tab was closed' }
const REPLACED: CloseInfo = {
  code: CloseCode.goingAway,
  reason: 'The tab has begun another session',
}
