import type { Visitor } from '../channels/live-channel.js'
import {
  HELLO,
  type HelloParams,
  type Resume,
  readHelloFrame,
  readHelloParams,
} from '../link/hello.js'
import type { ClusterDoor, SocketTransport } from '../server/cluster-seat.js'
import type { BuiltInEvents, BuiltInTransport } from '../transport/built-in.js'
import { CloseCode, withRetryAfter } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'
import { type Frame, frameBytes } from '../wire/codec.js'
import { Relay } from './relay.js'

/** The way to the sessions of other nodes. */
export interface Lanes {
  /** Whether a session may be another node's, by its id. */
  isElsewhere(sid: string): boolean
  /** Asks for the way to a session that a client wants to resume. It never rejects. */
  open(resume: Resume, visitor: Visitor): Promise<Lane>
}

/**
 * The way to a session: a transport to its node; what is known of a session that does not go on; or `later`, if its node
 * can't be asked now.
 */
export type Lane = BuiltInTransport | { readonly lastRecv?: number } | 'later'

/** What a door needs of its endpoint. */
export interface DoorHost {
  readonly lanes: Lanes
  /** Opens a channel of this node over the transport. */
  open(transport: SocketTransport, visitor: Visitor): void
}

/** All doors of an endpoint, and the relays behind them. */
export class Doors implements ClusterDoor {
  readonly #host: DoorHost
  readonly #inside = new Set<Door | Relay>()

  constructor(host: DoorHost) {
    this.#host = host
  }

  /** Lets a client in. */
  enter(transport: SocketTransport, visitor: Visitor): void {
    const door: Door = new Door(
      transport,
      visitor,
      this.#host,
      (relay) => {
        this.#inside.delete(door)
        if (relay) this.#inside.add(relay)
      },
      (relay) => this.#inside.delete(relay),
    )
    this.#inside.add(door)
    door.start()
  }

  /** The endpoint is being closed: the sessions of other nodes go on without it. */
  close(info: CloseInfo): void {
    for (const each of [...this.#inside]) each.end(info)
  }
}

/** How long the first frame is waited for before a channel is opened, in ms. */
const PATIENCE_MS = 1_000
/** How many bytes a client may send before it is known where they go. */
const MOST_EARLY = 64 * 1024

/**
 * Stands between a socket and its channel, in a cluster: it looks at the first frame, and lets it and those after it go
 * on to a channel of this node, or to the node that has the client's session.
 */
class Door implements BuiltInEvents {
  readonly #transport: SocketTransport
  readonly #visitor: Visitor
  readonly #host: DoorHost
  readonly #passed: (relay?: Relay) => void
  readonly #left: (relay: Relay) => void
  readonly #since = performance.now()
  #patience: ReturnType<typeof setTimeout> | undefined
  #early: Frame[] = []
  #earlyBytes = 0
  #isDecided = false
  #closed: CloseInfo | undefined

  /**
   * @param passed called when the client is not at the door any more; with its relay, if there is one.
   * @param left called when a relay has ended.
   */
  constructor(
    transport: SocketTransport,
    visitor: Visitor,
    host: DoorHost,
    passed: (relay?: Relay) => void,
    left: (relay: Relay) => void,
  ) {
    this.#transport = transport
    this.#visitor = visitor
    this.#host = host
    this.#passed = passed
    this.#left = left
  }

  start(): void {
    this.#patience = setTimeout(() => this.#here(), PATIENCE_MS)
    this.#transport.start(this)
  }

  frame(frame: Frame): void {
    // It was read together with the one that decided.
    if (this.#isDecided) return this.#transport.read(frame)
    this.#early.push(frame)
    this.#earlyBytes += frameBytes(frame)
    if (this.#early.length === 1) {
      const resume = resumeOf(frame)
      if (resume && this.#host.lanes.isElsewhere(resume.sid)) void this.#elsewhere(resume)
      else this.#here()
    } else if (this.#earlyBytes > MOST_EARLY) {
      this.#transport.close(CloseCode.tooMany, 'More came before the hello was answered than may')
    }
  }

  close(info: CloseInfo): void {
    this.#closed = info
    clearTimeout(this.#patience)
    if (!this.#isDecided) this.#passed()
  }

  /** Ends the connection, as its server is closing. */
  end({ code, reason }: CloseInfo): void {
    this.#transport.close(code, reason)
  }

  /** The client's frames go to a channel of this node. */
  #here(lastRecv?: number): void {
    clearTimeout(this.#patience)
    if (this.#closed) return
    this.#isDecided = true
    const visitor = this.#visitor as { -readonly [K in keyof Visitor]: Visitor[K] }
    visitor.waitedMs = performance.now() - this.#since
    if (lastRecv !== undefined) visitor.lastRecv = lastRecv
    this.#passed()
    this.#host.open(this.#transport, visitor)
    for (const frame of this.#early.splice(0)) this.#transport.read(frame)
  }

  async #elsewhere(resume: Resume): Promise<void> {
    clearTimeout(this.#patience)
    const transport = this.#transport
    transport.pause(true)
    const lane = await this.#host.lanes.open(resume, this.#visitor)
    transport.pause(false)
    if (lane === 'later') {
      transport.close(CloseCode.tryAgainLater, withRetryAfter(LATER, 1))
    } else if ('start' in lane) this.#relay(lane)
    else this.#here(lane.lastRecv)
  }

  #relay(lane: BuiltInTransport): void {
    if (this.#closed) return lane.close(this.#closed.code, this.#closed.reason)
    this.#isDecided = true
    const relay: Relay = new Relay(this.#transport, lane, () => this.#left(relay))
    this.#passed(relay)
    relay.start(this.#early.splice(0))
  }
}

const LATER = "The node that has this client's session can't be asked now"

/** @returns the session that a client wants to resume, if this is a hello that says so. */
function resumeOf(frame: Frame): Resume | undefined {
  // Most clients have none, and their hello is not read twice.
  if (typeof frame !== 'string' || !frame.includes('"resume"')) return undefined
  const message = readHelloFrame(frame) as { method?: unknown; params?: unknown } | undefined
  const hello: HelloParams | undefined =
    message?.method === HELLO ? readHelloParams(message.params) : undefined
  return hello?.resume
}
