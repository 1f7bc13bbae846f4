import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { guarded } from '../base/guarded.js'
import type { Arrival } from '../channels/arrival.js'
import type { LiveChannel, Visitor } from '../channels/live-channel.js'
import { assertCount } from '../errors/assert-number.js'
import { RpcConfigError } from '../errors/errors.js'
import { nearestName } from '../errors/nearest.js'
import { withDefaults } from '../errors/options.js'
import { quoted } from '../errors/quoted.js'
import type { HelloParams, Resume } from '../link/hello.js'
import type { HelloAnswer, HelloDecision } from '../link/server-handshake.js'
import { hookContext } from '../logging/error-context.js'
import { CloseCode } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'
import { FairEviction } from './fair-eviction.js'
import { type Owner, SHARE } from './shares.js'
import { type Tombstone, Tombstones } from './tombstones.js'

/** The options of sessions without a connection. */
export interface ResumeOptions<Identity = unknown> {
  /** How long a session outlives its connection, in ms. Default 30,000. */
  windowMs?: number
  /**
   * The most sessions without a connection that are kept. If there are more, one ends: the session that has waited the
   * longest, of the owner with the most sessions. An owner with more than its `limits.share` loses one of its own.
   * Default 1,000.
   */
  maxDetached?: number
  /**
   * The most bytes that the sessions without a connection may hold together for their clients, text by its length. If
   * they hold more, sessions end in the order that `maxDetached` describes. Default 64 MiB.
   */
  maxDetachedBytes?: number
  /**
   * Whether the client that comes back is the one that began the session, by the identity that `authenticate` returned
   * each time. Default: whether the two identities are equal in all their members. If some members differ each time,
   * such as the time at which a token expires, compare others: `(before, now) => before.id === now.id`.
   */
  sameIdentity?: (before: Identity, now: Identity) => boolean
}

const DEFAULT_RESUME: Required<ResumeOptions> = {
  windowMs: 30_000,
  maxDetached: 1_000,
  maxDetachedBytes: 64 * 1024 * 1024,
  sameIdentity: isDeepStrictEqual,
}

interface Kept {
  readonly channel: LiveChannel
  readonly tokenHash: Buffer
  identity: unknown
  owner: Owner
  /** The attempt of the connection that was attached last. */
  attempt: number
  /** Ends a session without a connection when the window is over. */
  timer: ReturnType<typeof setTimeout> | undefined
}

/**
 * The sessions of an endpoint: those with a connection, those without one until their window is over, and the message
 * counts of those that have ended (docs/protocol.md, "Sessions").
 */
export class Sessions {
  readonly #options: Required<ResumeOptions>
  readonly #asTransferred: (identity: unknown) => unknown
  /** All sessions, by their id. */
  readonly #kept = new Map<string, Kept>()
  /** Sessions without a connection, in the order in which they lost it. */
  readonly #detached = new Set<Kept>()
  /** The detached sessions with their sizes: chooses which of them end if they are too many. */
  readonly #eviction: FairEviction<Kept>
  readonly #tombstones: Tombstones
  /** How many clients asked for a session that exists, and could not prove that it is theirs. */
  failedProofs = 0

  /**
   * @param share the part of the kept sessions and bytes that one owner may have.
   * @param asTransferred converts an identity to the value that it has after it was sent to another node. Identities are
   *   compared by these values.
   */
  constructor(options: ResumeOptions, share: number = SHARE, asTransferred = unchanged) {
    this.#options = resolveResumeOptions(options)
    this.#asTransferred = asTransferred
    const { maxDetached, maxDetachedBytes } = this.#options
    this.#eviction = new FairEviction(maxDetached, maxDetachedBytes, share)
    this.#tombstones = new Tombstones(share)
  }

  /**
   * Decides which channel takes a client's connection, by its hello. It is synchronous, so that the sessions do not
   * change between the check and the answer.
   *
   * @param told what the answer to the hello says besides.
   */
  receive(hello: HelloParams, arrival: Arrival, told: Told): HelloDecision {
    const { resume } = hello
    if (!resume) return this.#begin(hello, arrival, told)
    const { visitor } = arrival
    const failed: Failed = (thrown) => arrival.error(thrown, SAME_IDENTITY)
    const found = this.find(resume, visitor, failed)
    const kept = found === 'kept' && this.#kept.get(resume.sid)
    if (!kept) {
      const { lastRecv = visitor.lastRecv } = found as Partial<Tombstone>
      return this.#begin(hello, arrival, lastRecv === undefined ? told : { ...told, lastRecv })
    }
    if (hello.attempt <= kept.attempt) {
      const reason = 'A later connection of the same session came before this one'
      return { refuse: { code: CloseCode.takenOver, reason } }
    }
    const recv = arrival.resume(kept.channel, resume.recv)
    if (recv === undefined) {
      const recvFault = 'which is less than before or more than was sent'
      const reason = `The protocol was broken: a recv of ${quoted(resume.recv)}, ${recvFault}`
      return { refuse: { code: CloseCode.violation, reason } }
    }
    this.#stopWaiting(kept)
    kept.attempt = hello.attempt
    kept.identity = visitor.identity
    kept.owner = visitor.owner
    const { sid, token } = resume
    const { windowMs } = this.#options
    return { accept: { sid, resumed: true, ...told, token, recv, windowMs } }
  }

  /**
   * Finds the session that a client wants to resume. Nothing is begun, and nothing changes but the count of proofs
   * that failed. A client without the right token, or with another identity, learns nothing: `unknown` is also the
   * answer if there is no such session.
   *
   * @param failed called with the error of `sameIdentity`.
   * @returns `kept`; how far a session came that has ended; or `unknown`.
   */
  find({ sid, token }: Pick<Resume, 'sid' | 'token'>, visitor: Visitor, failed: Failed): Found {
    const kept = this.#kept.get(sid)
    const known = kept ?? this.#tombstones.find(sid)
    if (!known) return 'unknown'
    if (!this.#isProven(known, token, visitor, failed)) {
      // The client is not banned for it: a random token of 256 bits can't be guessed, and a ban would hit other clients of
      // the same address.
      this.failedProofs++
      return 'unknown'
    }
    return kept ? 'kept' : { lastRecv: (known as Tombstone).lastRecv }
  }

  /** How long a session outlives its connection, in ms. */
  get windowMs(): number {
    return this.#options.windowMs
  }

  /** A channel has lost its connection. If it has a session, the session waits for another connection. */
  down(channel: LiveChannel): void {
    const kept = this.#kept.get(channel.id)
    if (!kept) return
    kept.timer = setTimeout(() => channel.end(EXPIRED), this.#options.windowMs)
    this.#detached.add(kept)
    this.#limitDetached(kept)
  }

  /** The number of bytes that a channel holds may have changed. */
  changed(channel: LiveChannel): void {
    if (this.#detached.size === 0) return
    const kept = this.#kept.get(channel.id)
    if (kept?.timer) this.#limitDetached(kept)
  }

  /** A channel has ended, and so has its session. */
  ended(channel: LiveChannel, { code }: CloseInfo, recv: number | undefined): void {
    const kept = this.#kept.get(channel.id)
    if (!kept) return
    this.#stopWaiting(kept)
    this.#kept.delete(channel.id)
    if (recv === undefined || FORGOTTEN.has(code)) return
    const { tokenHash, identity, owner } = kept
    this.#tombstones.add(channel.id, { tokenHash, identity, owner, lastRecv: recv })
  }

  /** Ends the sessions without a connection: their clients can't come back any more. */
  close(info: CloseInfo): void {
    for (const { channel } of [...this.#detached]) channel.end(info)
  }

  #begin(
    { attempt, limits }: HelloParams,
    { channel, visitor }: Arrival,
    told: Told & Pick<HelloAnswer, 'lastRecv'>,
  ): HelloDecision {
    const accept = { sid: channel.id, resumed: false, ...told }
    if (limits.buf === undefined) return { accept }
    const token = randomBytes(32).toString('base64url')
    const tokenHash = hash(token)
    const { identity, owner } = visitor
    const timer = undefined
    this.#kept.set(channel.id, { channel, tokenHash, identity, owner, attempt, timer })
    channel.begin(limits.buf)
    const { windowMs } = this.#options
    return { accept: { ...accept, token, recv: 0, windowMs } }
  }

  #isProven(
    { tokenHash, identity }: Pick<Kept, 'tokenHash' | 'identity'>,
    token: string,
    visitor: Visitor,
    failed: Failed,
  ): boolean {
    if (!timingSafeEqual(tokenHash, hash(token))) return false
    // If it is not certain that the client is the same, it counts as another one.
    let isSame: unknown = false
    guarded(() => {
      const before = this.#asTransferred(identity)
      isSame = this.#options.sameIdentity(before, this.#asTransferred(visitor.identity))
      if (typeof isSame !== 'boolean') failed(noBoolean(isSame))
      return isSame
    }, failed)
    return isSame === true
  }

  /** The session does not wait for its client any more. */
  #stopWaiting(kept: Kept): void {
    if (!kept.timer) return
    clearTimeout(kept.timer)
    kept.timer = undefined
    this.#detached.delete(kept)
    this.#eviction.delete(kept.owner, kept)
  }

  /** Measures the bytes of a session without a connection, and ends sessions if they hold too much. */
  #limitDetached(kept: Kept): void {
    if (!kept.timer) return
    this.#eviction.set(kept.owner, kept, kept.channel.heldBytes)
    for (;;) {
      const evicted = this.#eviction.next(kept.owner)
      if (!evicted) return
      // This comes first, because a session reports changes while it ends.
      this.#stopWaiting(evicted)
      evicted.channel.end(EVICTED)
    }
  }
}

/** The part of the answer to a hello that does not depend on the channel that takes the connection. */
type Told = Pick<HelloAnswer, 'spreadMs' | 'keys'>

/** The result of a search for the session that a client wants to resume. */
export type Found = 'kept' | 'unknown' | Pick<Tombstone, 'lastRecv'>

/** Called with the error of the option `sameIdentity`. */
type Failed = (thrown: unknown) => void

function unchanged(identity: unknown): unknown {
  return identity
}

const SAME_IDENTITY = hookContext('resume.sameIdentity')

const EXPIRED: CloseInfo = {
  code: CloseCode.timedOut,
  reason: 'The client did not come back in time',
}
const EVICTED: CloseInfo = {
  code: CloseCode.tryAgainLater,
  reason: 'Too many sessions wait for their clients; this one waited the longest',
}

/**
 * The close codes after which the message counts of a session are dropped: the client does not come back, or must not
 * get them.
 */
const FORGOTTEN: ReadonlySet<number> = new Set([CloseCode.violation, CloseCode.unauthorized])

/** A random token of 256 bits needs no salt. */
function hash(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/**
 * @returns the options with their defaults.
 * @throws {RpcConfigError} naming the option that is wrong.
 */
function resolveResumeOptions(options: ResumeOptions): Required<ResumeOptions> {
  const { sameIdentity, ...numbers } = withDefaults('resume', options, DEFAULT_RESUME, nearestName)
  for (const [name, value] of Object.entries(numbers)) {
    assertCount(`resume.${name}`, value, { most: 'timer' })
  }
  if (typeof sameIdentity !== 'function') {
    throw new RpcConfigError('resume.sameIdentity must be a function of two identities')
  }
  return { ...numbers, sameIdentity }
}

function noBoolean(given: unknown): RpcConfigError {
  return new RpcConfigError(
    `resume.sameIdentity must return true or false, and not a promise. It returned ${typeof given}`,
  )
}
