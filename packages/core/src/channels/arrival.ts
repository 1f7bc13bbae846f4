import { Connection } from '../link/connection.js'
import { MOVED } from '../link/endings.js'
import type { HelloLimits, HelloParams } from '../link/hello.js'
import type { EarlyEvents, Hello, LinkEvents, MessageLink } from '../link/message-link.js'
import {
  type HelloDecision,
  ServerHandshake,
  type ServerHandshakeHost,
} from '../link/server-handshake.js'
import { translatedTransport } from '../link/translated-transport.js'
import type { ErrorContext } from '../logging/error-context.js'
import type { CloseInfo, Transport } from '../transport/transport.js'
import type { ChannelKind } from './channel-kind.js'
import type { LiveChannel, Visitor } from './live-channel.js'

/** The program part that connections come to, such as an endpoint. */
export interface ArrivalHost {
  /** What its channels have in common. */
  readonly kind: ChannelKind
  /** Whether a client that says no hello in time is refused (4408), and not served as a plain peer. Default false. */
  readonly needsHello?: boolean
  /** Decides which channel takes a connection. */
  receive(hello: HelloParams, arrival: Arrival): HelloDecision
  /** The window over which clients spread after a loss, in ms. Default: none. */
  spreadMs?(arrival: Arrival): number
  /** It is known which channel takes a connection, or the connection has ended. */
  settled?(arrival: Arrival): void
}

/** Takes a connection of a client. */
export function arrive(host: ArrivalHost, transport: Transport, visitor: Visitor): Arrival {
  const arrival = new Arrival(host, transport, visitor)
  arrival.connection.start()
  return arrival
}

/**
 * A connection that has come to a server, and the channel that takes it. The hello decides: it may continue the session
 * of a channel that exists. Otherwise a channel is made when it is first needed, also to report the end of a connection
 * that said nothing.
 */
export class Arrival implements EarlyEvents, ServerHandshakeHost {
  readonly visitor: Visitor
  readonly connection: Connection
  readonly #host: ArrivalHost
  #channel: LiveChannel | undefined

  constructor(host: ArrivalHost, transport: Transport, visitor: Visitor) {
    const { settings } = host.kind
    this.#host = host
    this.visitor = visitor
    const { dialect } = settings
    const wire = dialect
      ? translatedTransport(transport, dialect, settings, 'server', this)
      : transport
    this.connection = new Connection(wire, settings, new ServerHandshake(this), this)
    // A dialect may have asked for the id.
    this.#channel?.core.takeOver(this.connection)
  }

  /** The channel that takes the connection; made if there is none yet. */
  get channel(): LiveChannel {
    if (!this.#channel) {
      this.#channel = this.#host.kind.createChannel(this.visitor)
      this.#channel.core.takeOver(this.connection)
    }
    return this.#channel
  }

  get id(): string {
    return this.channel.id
  }

  /**
   * The connection continues the session of a channel that exists.
   *
   * @param recv how many messages of the server the client has dispatched.
   * @returns how many messages of the client the channel has dispatched; undefined if `recv` is impossible.
   */
  resume(kept: LiveChannel, recv: unknown): number | undefined {
    const received = kept.resume(this.connection, recv, this.visitor)
    if (received === undefined) return undefined
    // Its client was served as a plain peer until its hello came.
    this.#channel?.core.abandon(MOVED)
    this.#channel = kept
    return received
  }

  // ── For the handshake ─────────────────────────────────────────────────────────────────────────

  get isPlain(): boolean {
    return this.#host.kind.settings.plain
  }

  get timeLeftMs(): number {
    const { waitedMs = 0 } = this.visitor
    return Math.max(0, this.#host.kind.settings.helloTimeoutMs - waitedMs)
  }

  get needsHello(): boolean | undefined {
    return this.#host.needsHello || this.visitor.needsHello
  }

  get limits(): HelloLimits {
    return this.#host.kind.helloLimits
  }

  receive(hello: HelloParams): HelloDecision {
    const decision = this.#host.receive(hello, this)
    if ('accept' in decision) this.#host.settled?.(this)
    return decision
  }

  messagesIgnored(): void {
    this.channel.messagesIgnored()
  }

  spreadMs(): number | undefined {
    return this.#host.spreadMs?.(this)
  }

  // ── Events of the connection, until a channel takes them ──────────────────────────────────────

  /** From now on the events go to the channel. */
  #handOver(): LinkEvents {
    this.#host.settled?.(this)
    const { core } = this.channel
    this.connection.redirectEvents(core)
    return core
  }

  ready(link: MessageLink, hello: Hello | undefined, isFirst: boolean): void {
    this.#handOver().ready(link, hello, isFirst)
  }

  ended(link: MessageLink, info: CloseInfo, goesOn: boolean, isEndReported: boolean): void {
    this.#handOver().ended(link, info, goesOn, isEndReported)
  }

  error(error: unknown, context: ErrorContext): void {
    this.channel.error(error, context)
  }

  latency(): void {}
}
