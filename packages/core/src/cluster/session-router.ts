import type { Visitor } from '../channels/live-channel.js'
import {
  HELLO,
  type HelloParams,
  type Resume,
  readHelloFrame,
  readHelloParams,
} from '../link/hello.js'
import type { SessionRouter, SocketTransport } from '../server/cluster-seat.js'
import type { BuiltInEvents, BuiltInTransport } from '../transport/built-in.js'
import { CloseCode, withRetryAfter } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'
import { type Frame, frameBytes } from '../wire/codec.js'
import { Relay } from './relay.js'

/** Finds the sessions of other nodes. */
export interface Lanes {
  /** Whether a session may be another node's, by its id. */
  isElsewhere(sid: string): boolean
  /** Opens a lane to the session that a client wants to resume. It never rejects. */
  open(resume: Resume, visitor: Visitor): Promise<OpenedLane>
}

/**
 * A transport to the node of a session; or, if the session does not go on, the number of the last message that its client
 * sent and it received, if that is known; or `later`, if its node can't be asked now.
 */
export type OpenedLane = BuiltInTransport | { readonly lastRecv?: number } | 'later'

/** The functions of a node that its session router uses. */
export interface SessionRouterHost {
  readonly lanes: Lanes
  /** Opens a channel of this node over the transport. */
  open(transport: SocketTransport, visitor: Visitor): void
}

/** Connects each client of a node to a channel of the node, or relays it to the node that has its session. */
export class ClusterSessionRouter implements SessionRouter {
  readonly #host: SessionRouterHost
  /** The clients that are not connected to a channel of this node: not yet, or because they are relayed. */
  readonly #clients = new Set<Routing | Relay>()

  constructor(host: SessionRouterHost) {
    this.#host = host
  }

  route(transport: SocketTransport, visitor: Visitor): void {
    const routing: Routing = new Routing(
      transport,
      visitor,
      this.#host,
      (relay) => {
        this.#clients.delete(routing)
        if (relay) this.#clients.add(relay)
      },
      (relay) => this.#clients.delete(relay),
    )
    this.#clients.add(routing)
    routing.start()
  }

  /** The endpoint is being closed: the sessions of other nodes go on without it. */
  close(info: CloseInfo): void {
    for (const each of [...this.#clients]) each.end(info)
  }
}

/** How long the router waits for a client's first frame before it opens a channel, in ms. */
const FIRST_FRAME_MS = 1_000
/** How many bytes a client may send before it is routed. */
const MAX_EARLY_BYTES = 64 * 1024

/**
 * One client that is not routed yet. Its first frame tells whether another node has its session. That frame and those
 * after it then go to a channel of this node, or to the other node.
 */
class Routing implements BuiltInEvents {
  readonly #transport: SocketTransport
  readonly #visitor: Visitor
  readonly #host: SessionRouterHost
  readonly #routed: (relay?: Relay) => void
  readonly #relayEnded: (relay: Relay) => void
  readonly #since = performance.now()
  #firstFrameTimer: ReturnType<typeof setTimeout> | undefined
  #early: Frame[] = []
  #earlyBytes = 0
  #isRouted = false
  #closed: CloseInfo | undefined

  /**
   * @param routed called when the client is routed, with its relay if there is one, or when it has gone.
   * @param relayEnded called when a relay has ended.
   */
  constructor(
    transport: SocketTransport,
    visitor: Visitor,
    host: SessionRouterHost,
    routed: (relay?: Relay) => void,
    relayEnded: (relay: Relay) => void,
  ) {
    this.#transport = transport
    this.#visitor = visitor
    this.#host = host
    this.#routed = routed
    this.#relayEnded = relayEnded
  }

  start(): void {
    this.#firstFrameTimer = setTimeout(() => this.#routeHere(), FIRST_FRAME_MS)
    this.#transport.start(this)
  }

  frame(frame: Frame): void {
    // It was read together with the first frame.
    if (this.#isRouted) return this.#transport.read(frame)
    this.#early.push(frame)
    this.#earlyBytes += frameBytes(frame)
    if (this.#early.length === 1) {
      const resume = resumeOf(frame)
      if (resume && this.#host.lanes.isElsewhere(resume.sid)) void this.#routeElsewhere(resume)
      else this.#routeHere()
    } else if (this.#earlyBytes > MAX_EARLY_BYTES) {
      this.#transport.close(
        CloseCode.tooMany,
        `More than ${MAX_EARLY_BYTES} bytes came before the hello was answered`,
      )
    }
  }

  close(info: CloseInfo): void {
    this.#closed = info
    clearTimeout(this.#firstFrameTimer)
    if (!this.#isRouted) this.#routed()
  }

  /** Ends the connection, as its server is closing. */
  end({ code, reason }: CloseInfo): void {
    this.#transport.close(code, reason)
  }

  /** The client's frames go to a channel of this node. */
  #routeHere(lastRecv?: number): void {
    clearTimeout(this.#firstFrameTimer)
    if (this.#closed) return
    this.#isRouted = true
    const visitor = this.#visitor as { -readonly [K in keyof Visitor]: Visitor[K] }
    visitor.waitedMs = performance.now() - this.#since
    if (lastRecv !== undefined) visitor.lastRecv = lastRecv
    this.#routed()
    this.#host.open(this.#transport, visitor)
    for (const frame of this.#early.splice(0)) this.#transport.read(frame)
  }

  async #routeElsewhere(resume: Resume): Promise<void> {
    clearTimeout(this.#firstFrameTimer)
    const transport = this.#transport
    transport.pause(true)
    const lane = await this.#host.lanes.open(resume, this.#visitor)
    transport.pause(false)
    if (lane === 'later') {
      transport.close(CloseCode.tryAgainLater, withRetryAfter(LATER, 1))
    } else if ('start' in lane) this.#relay(lane)
    else this.#routeHere(lane.lastRecv)
  }

  #relay(lane: BuiltInTransport): void {
    if (this.#closed) return lane.close(this.#closed.code, this.#closed.reason)
    this.#isRouted = true
    const relay: Relay = new Relay(this.#transport, lane, () => this.#relayEnded(relay))
    this.#routed(relay)
    relay.start(this.#early.splice(0))
  }
}

const LATER = "The node that has this client's session can't be asked now"

/** @returns the session that a client wants to resume, if the frame is a hello that names one. */
function resumeOf(frame: Frame): Resume | undefined {
  // Most hellos name no session. They are not parsed here, so that they are parsed once only.
  if (typeof frame !== 'string' || !frame.includes('"resume"')) return undefined
  const message = readHelloFrame(frame) as { method?: unknown; params?: unknown } | undefined
  const hello: HelloParams | undefined =
    message?.method === HELLO ? readHelloParams(message.params) : undefined
  return hello?.resume
}
