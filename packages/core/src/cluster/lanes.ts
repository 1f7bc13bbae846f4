import { isDeepStrictEqual } from 'node:util'
import { unref } from '../base/unref.js'
import type { LiveChannel, Visitor } from '../channels/live-channel.js'
import { assertCount, assertDuration } from '../errors/assert-number.js'
import { assertOptions } from '../errors/assert-options.js'
import { RpcConfigError } from '../errors/errors.js'
import { kindOf, type OptionKinds } from '../errors/options.js'
import type { Resume } from '../link/hello.js'
import { type ErrorContext, hookContext } from '../logging/error-context.js'
import type { Found } from '../server/sessions.js'
import type { Transport } from '../transport/transport.js'
import type { Codec } from '../wire/codec.js'
import { nodeOf } from './cluster-channel.js'
import type { ClusterNode } from './cluster-node.js'
import { Kind } from './envelope.js'
import type { Pipe } from './pipe.js'
import { Pipes } from './pipes.js'
import type { Lanes, OpenedLane } from './session-router.js'

/** How sessions are relayed to the nodes that they belong to. */
export interface RelayOptions {
  /**
   * The most clients of other nodes' sessions that this node relays. One more begins a new session here. Default 10,000.
   */
  maxLanes?: number
  /**
   * How long a relayed session may be idle, in ms: with nothing running, open or unacknowledged. Then its node ends it,
   * with its groups and its channel, and its client begins another session at the node to which it has connected.
   * Default `Infinity`: it stays at the node at which it began.
   */
  rehomeAfterMs?: number
}

/**
 * How an identity travels to the node that has the client's session. `decode(encode(identity))` must be equal to the
 * identity, as far as `resume.sameIdentity` compares it.
 */
export interface IdentityOptions {
  /** @returns a value that the endpoint's codec carries. */
  encode(identity: unknown): unknown
  /** @returns the identity, from the value that `encode` has returned. */
  decode(value: unknown): unknown
}

export const RELAY_OPTIONS = {
  maxLanes: 'elsewhere',
  rehomeAfterMs: 'elsewhere',
} as const satisfies OptionKinds<RelayOptions>

/**
 * @returns the options with their defaults.
 * @throws {RpcConfigError} naming the option that is wrong.
 */
export function resolveRelay(relay: RelayOptions | false): Required<RelayOptions> | undefined {
  if (relay === false) return undefined
  assertOptions('createCluster: relay', relay, RELAY_OPTIONS)
  const { maxLanes = 10_000, rehomeAfterMs = Number.POSITIVE_INFINITY } = relay
  assertCount('createCluster: relay.maxLanes', maxLanes)
  if (rehomeAfterMs !== Number.POSITIVE_INFINITY) {
    assertDuration('createCluster: relay.rehomeAfterMs', rehomeAfterMs)
  }
  return { maxLanes, rehomeAfterMs }
}

/** @throws {RpcConfigError} if they are not two functions. */
export function assertIdentityOptions(identity: unknown): void {
  const { encode, decode } = Object(identity) as Partial<IdentityOptions>
  if (typeof encode === 'function' && typeof decode === 'function') return
  throw new RpcConfigError(
    `createCluster: identity must be { encode, decode }, two functions. It is ${kindOf(identity)}`,
  )
}

/** The functions of an endpoint that the lanes of its node use. */
export interface LanesHost {
  readonly codec: Codec
  /** How long a session outlives its connection, in ms. */
  readonly windowMs: number
  /** Finds the session that a client wants to resume, among those of this node. */
  findSession(resume: Pick<Resume, 'sid' | 'token'>, visitor: Visitor): Found | 'later'
  /** Opens a channel for a client of another node. */
  accept(transport: Transport, visitor: Visitor): void
  /** The channel of this node with this id, if there is one. */
  channel(id: string): LiveChannel | undefined
  /** Something failed that no caller learns of. */
  error(thrown: unknown, context: ErrorContext): void
}

/** How much may be under way in each direction of a lane, in bytes. */
const CREDIT = 1024 * 1024
/** How long the node of a session may take to answer, in ms. */
const OPEN_MS = 500

/** The question of a node that opens a lane to the node of a session. */
interface LaneRequest {
  readonly sid: string
  readonly token: string
  readonly identity?: unknown
  readonly owner?: string
}

/**
 * The lanes between this node and others. Each carries the frames of one client between the node to which it has connected
 * and the node that has its session.
 */
export class NodeLanes implements Lanes {
  readonly #node: ClusterNode
  readonly #host: LanesHost
  readonly #relay: Required<RelayOptions>
  readonly #identity: IdentityOptions | undefined
  readonly #pipes: Pipes
  /** Since when the engine is down, by `performance.now()`. */
  #downSince: number | undefined

  constructor(
    node: ClusterNode,
    host: LanesHost,
    relay: Required<RelayOptions>,
    identity: IdentityOptions | undefined,
  ) {
    this.#node = node
    this.#host = host
    this.#relay = relay
    this.#identity = identity
    this.#pipes = new Pipes({ credit: CREDIT }, node.postOf(Kind.lane), (pipe, what) =>
      this.#asked(pipe, what),
    )
    node.on(Kind.lane, ({ body }, { id }) => this.#pipes.hearAll(id, body))
    const lost = (reason: string) => ({ code: 1006, reason })
    node.watch({
      up: () => {
        this.#downSince = undefined
        this.#pipes.up()
      },
      down: (why) => {
        this.#downSince = performance.now()
        this.#pipes.down(lost(`The engine of the cluster is down: ${why}`))
      },
      gone: ({ id }) => this.#pipes.endOf(id, lost('The node of the session is gone')),
      renewed: () => this.#pipes.endAll(lost('The node goes on in a new epoch')),
    })
  }

  isElsewhere(sid: string): boolean {
    const owner = nodeOf(sid)
    return owner !== undefined && owner !== this.#node.id
  }

  async open({ sid, token }: Resume, visitor: Visitor): Promise<OpenedLane> {
    const node = this.#node
    // If it fails, the node does not take part, and the next line sees that.
    await node.ready().catch(() => {})
    if (!node.isUp) return this.#isWaiting ? 'later' : NOTHING_KNOWN
    const owner = nodeOf(sid)
    const record = owner === undefined ? undefined : node.directory.get(owner)
    if (!record || record.isForeign) return NOTHING_KNOWN
    if (this.#pipes.openedSize >= this.#relay.maxLanes) return NOTHING_KNOWN
    let identity: unknown
    try {
      identity = this.#written(visitor.identity)
    } catch (thrown) {
      this.#host.error(thrown, hookContext('cluster.identity'))
      return NOTHING_KNOWN
    }
    const request: LaneRequest = {
      sid,
      token,
      ...(identity !== undefined && { identity }),
      ...(visitor.owner !== undefined && { owner: visitor.owner }),
    }
    const release = node.failureDetector.owes(record)
    const pipe = this.#pipes.to(record.id, release)
    const answer = await pipe.open(request, OPEN_MS)
    // Its node is asked again, until it answers or is given up.
    if (!answer) return node.directory.get(record.id) || !node.isUp ? 'later' : NOTHING_KNOWN
    if (answer.isAccepted) return pipe
    const { lastRecv, later } = Object(answer.what) as { lastRecv?: unknown; later?: unknown }
    if (later === true) return 'later'
    return Number.isSafeInteger(lastRecv) ? { lastRecv: lastRecv as number } : NOTHING_KNOWN
  }

  /** @returns an identity as the node of a session gets it: two that are compared must both have been transferred. */
  asTransferred(identity: unknown): unknown {
    return this.#identity ? this.#read(this.#written(identity)) : identity
  }

  /** Ends all of them. */
  close(): void {
    this.#pipes.endAll({ code: 1006, reason: 'The node is closed' })
  }

  /** Whether the session of a client may still go on when the engine is up again. */
  get #isWaiting(): boolean {
    const since = this.#downSince
    return since !== undefined && performance.now() - since < this.#host.windowMs
  }

  /** Another node opens a lane to a session of this one. */
  #asked(pipe: Pipe, what: unknown): void {
    const { sid, token, identity, owner } = Object(what) as Readonly<Record<string, unknown>>
    if (typeof sid !== 'string' || typeof token !== 'string') return pipe.refuse({})
    if (owner !== undefined && typeof owner !== 'string') return pipe.refuse({})
    let visitor: Visitor
    try {
      // It has said hello to the other node. If that is lost on its way here, and so is the end of the lane, nobody is there.
      visitor = { identity: this.#read(identity), owner, needsHello: true }
    } catch (thrown) {
      this.#host.error(thrown, hookContext('cluster.identity'))
      return pipe.refuse({})
    }
    const found = this.#host.findSession({ sid, token }, visitor)
    if (found === 'later') return pipe.refuse({ later: true })
    if (found === 'unknown') return pipe.refuse({})
    if (found !== 'kept') return pipe.refuse(found)
    pipe.accept()
    this.#host.accept(pipe, visitor)
    this.#rehome(pipe, sid)
  }

  /** Ends the session when it has been idle for so long that its client can begin another one at its own node. */
  #rehome(pipe: Pipe, sid: string): void {
    const { rehomeAfterMs } = this.#relay
    if (rehomeAfterMs === Number.POSITIVE_INFINITY) return
    let idleSince: number | undefined
    const timer = setInterval(
      () => {
        const channel = this.#host.channel(sid)
        if (!channel || !pipe.isOpen) return clearInterval(timer)
        const now = performance.now()
        if (!channel.isIdle) idleSince = undefined
        else idleSince ??= now
        if (idleSince === undefined || now - idleSince < rehomeAfterMs) return
        clearInterval(timer)
        channel.retire()
        void channel.whenServed().then(() => channel.end(REHOMED))
      },
      Math.min(Math.max(10, rehomeAfterMs / 4), 60_000),
    )
    unref(timer)
  }

  /** @throws {RpcConfigError} if the identity would be another one at the other node. */
  #written(identity: unknown): unknown {
    if (identity === undefined) return undefined
    const { codec } = this.#host
    const frame = codec.encode(this.#identity ? this.#identity.encode(identity) : identity)
    const written =
      typeof frame === 'string' ? frame : { bytes: Buffer.from(frame).toString('base64') }
    if (!this.#identity && !isDeepStrictEqual(this.#read(written), identity)) {
      throw new RpcConfigError(
        `the identity of a client would be another one at the node of its session: the codec "${codec.name}" does not carry all of it. Give createCluster({ identity: { encode, decode } }), or let authenticate return plain values`,
      )
    }
    return written
  }

  #read(written: unknown): unknown {
    if (written === undefined) return undefined
    const bytes = (written as { bytes?: unknown }).bytes
    const frame = typeof bytes === 'string' ? new Uint8Array(Buffer.from(bytes, 'base64')) : written
    const value = this.#host.codec.decode(frame as string | Uint8Array)
    return this.#identity ? this.#identity.decode(value) : value
  }
}

const NOTHING_KNOWN = {}
const REHOMED = { code: 1001, reason: 'The session begins anew at the node where its client is' }
