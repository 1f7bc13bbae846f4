import type { ResolvedChannelOptions } from '../calls/options.js'
import { Connection } from '../link/connection.js'
import type { HelloLimits, HelloParams } from '../link/hello.js'
import type { BatchMember, Hello, LinkEvents, MessageLink } from '../link/message-link.js'
import { type Reception, type Receptionist, ServerHandshake } from '../link/server-handshake.js'
import { type ErrorContext, IN_FRAME } from '../logging/error-context.js'
import { translated } from '../transport/dialect.js'
import type { CloseInfo, Transport } from '../transport/transport.js'
import type { Classified, ResponseMessage } from '../wire/message.js'
import type { LiveChannel, Visitor } from './live-channel.js'

/** The server that connections come to. */
export interface ArrivalHost {
  readonly settings: ResolvedChannelOptions
  /** The limits that the server states in its answer to the hello. */
  readonly helloLimits: HelloLimits
  /** Whether a client that says no hello in time is refused (4408), and not served as a plain peer. */
  readonly needsHello: boolean
  /** Decides which channel takes a connection. Default: a new one. */
  readonly receive: ((hello: HelloParams, arrival: Arrival) => Reception) | undefined
  /** The window over which clients spread after a loss, in ms. */
  readonly spreadMs: ((arrival: Arrival) => number) | undefined
  /** It is known which channel takes a connection, or the connection has ended. */
  readonly settled: ((arrival: Arrival) => void) | undefined
  createChannel(visitor: Visitor): LiveChannel
}

/**
 * A connection that has come to a server, and the channel that takes it. The hello decides: it may continue the session
 * of a channel that exists. Otherwise a channel is made when it is first needed, also to report the end of a connection
 * that said nothing.
 */
export class Arrival implements LinkEvents, Receptionist {
  readonly visitor: Visitor
  readonly connection: Connection
  readonly isPlain: boolean
  readonly timeLeftMs: number
  readonly #host: ArrivalHost
  #channel: LiveChannel | undefined

  constructor(host: ArrivalHost, transport: Transport, visitor: Visitor) {
    const { settings } = host
    const { dialect, limits, format } = settings
    const { waitedMs = 0 } = visitor
    this.#host = host
    this.visitor = visitor
    this.isPlain = settings.plain
    this.timeLeftMs = Math.max(0, settings.helloTimeoutMs - waitedMs)
    const arrival = this
    const wire =
      dialect &&
      translated(transport, dialect, {
        side: 'server',
        get channelId() {
          return arrival.channel.id
        },
        maxMessage: limits.message,
        frameType: format.frameType,
        error: (error) => this.error(error, IN_FRAME),
      })
    this.connection = new Connection(wire ?? transport, settings, new ServerHandshake(this), this)
    // A dialect may have asked for its id.
    this.#channel?.takeOver(this.connection)
  }

  /** The channel that takes the connection; made if there is none yet. */
  get channel(): LiveChannel {
    if (this.#channel) return this.#channel
    const channel = this.#host.createChannel(this.visitor)
    this.#channel = channel
    channel.takeOver(this.connection)
    return channel
  }

  /** Ends the connection. */
  end({ code, reason }: CloseInfo): void {
    this.connection.end(code, reason)
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
    this.#channel?.abandon()
    this.#channel = kept
    return received
  }

  // ── For the handshake ─────────────────────────────────────────────────────────────────────────

  get needsHello(): boolean {
    return this.#host.needsHello
  }

  get limits(): HelloLimits {
    return this.#host.helloLimits
  }

  receive(hello: HelloParams): Reception {
    const { receive, settled } = this.#host
    const reception = receive
      ? receive(hello, this)
      : { welcome: { sid: this.channel.id, resumed: false, spreadMs: 0 } }
    if ('welcome' in reception) settled?.(this)
    return reception
  }

  unheard(): void {
    this.channel.unheard()
  }

  spreadMs(): number | undefined {
    return this.#host.spreadMs?.(this)
  }

  // ── Events of the connection, until a channel takes them ──────────────────────────────────────

  /** From now on the events go to the channel. */
  #handOver(): LinkEvents {
    const events = this.channel.takeOver(this.connection)
    this.connection.tellInstead(events)
    return events
  }

  ready(link: MessageLink, hello: Hello | undefined, isFirst: boolean): void {
    this.#host.settled?.(this)
    this.#handOver().ready(link, hello, isFirst)
  }

  ended(link: MessageLink, info: CloseInfo, goesOn: boolean, isEndTold: boolean): void {
    this.#host.settled?.(this)
    this.#handOver().ended(link, info, goesOn, isEndTold)
  }

  error(error: unknown, context: ErrorContext): void {
    this.channel.error(error, context)
  }

  message(
    link: MessageLink,
    message: Classified,
    bytes: number,
    refusal: string | undefined,
  ): void {
    this.#handOver().message(link, message, bytes, refusal)
  }

  batch(link: MessageLink, members: readonly BatchMember[]): void {
    this.#handOver().batch(link, members)
  }

  unreadable(link: MessageLink, bytes: number | undefined, answer: ResponseMessage): void {
    this.#handOver().unreadable(link, bytes, answer)
  }

  // Nothing was sent yet that these could be about.

  room(): void {}

  latency(): void {}

  spread(): void {}
}
