import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Connection } from '../channel/connection.js'
import type { Reception, Welcome } from '../channel/connection-events.js'
import type { HelloParams, Resume } from '../channel/handshake.js'
import type { LiveChannel, Visitor } from '../channel/live-channel.js'
import { RpcConfigError } from '../errors.js'
import { CloseCode } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'
import { FailedResumes } from './failed-resumes.js'
import { type Tombstone, Tombstones } from './tombstones.js'

/** How sessions are kept that have lost their connection. */
export interface ResumeOptions<Identity = unknown> {
  /** How long a session outlives its connection, in ms. Default 30,000. */
  windowMs?: number
  /** How many sessions without a connection are kept; the oldest ends first. Default 1,000. */
  maxDetached?: number
  /** How many bytes they may hold together for their clients, text by its length. Default 64 MiB. */
  maxDetachedBytes?: number
  /**
   * Whether who comes back, as `authenticate` found out anew, is who began the session. Default: the
   * two are alike in all their members. Where they differ by right, as by the time that a token
   * expires, compare what does not: `(before, now) => before.id === now.id`.
   */
  sameIdentity?: (before: Identity, now: Identity) => boolean
}

interface Kept {
  readonly channel: LiveChannel
  readonly tokenHash: Buffer
  identity: unknown
  /** Of the connection that was attached last. */
  attempt: number
  /** Without a connection: what ends it when the window is over, and what it holds. */
  detached: { readonly timer: ReturnType<typeof setTimeout>; bytes: number } | undefined
}

/**
 * The sessions of an endpoint: with a connection, without one for the time of the window, and, of
 * those that have ended, how far they had come (docs/protocol.md, "Sessions").
 */
export class Sessions {
  readonly #options: Required<ResumeOptions>
  /** By their id; those without a connection in the order in which they lost it. */
  readonly #kept = new Map<string, Kept>()
  readonly #detached = new Set<Kept>()
  readonly #tombstones = new Tombstones()
  readonly #failures = new FailedResumes()
  #detachedBytes = 0

  constructor(options: ResumeOptions) {
    this.#options = resolveResumeOptions(options)
  }

  /**
   * Says which channel a client's connection is, by its hello. In one go: nothing else happens between
   * the look at the sessions and the answer.
   */
  receive(
    channel: LiveChannel,
    hello: HelloParams,
    connection: Connection,
    welcome: Welcome,
  ): Reception {
    const { visitor } = channel
    const { resume } = hello
    if (!resume) return this.#begin(channel, hello, visitor, welcome)
    if (this.#failures.isBarred(visitor.address)) {
      const reason = 'Too many sessions were asked for that are not the client’s'
      return { refuse: { code: CloseCode.tooMany, reason } }
    }
    const kept = this.#kept.get(resume.sid)
    const known = kept ?? this.#tombstones.find(resume.sid)
    if (!known) return this.#begin(channel, hello, visitor, welcome)
    // Whoever has not the token, or is somebody else, learns nothing: as if there were no such session.
    if (!this.#isProven(known, resume, visitor)) {
      this.#failures.count(visitor.address)
      return this.#begin(channel, hello, visitor, welcome)
    }
    if (!kept) {
      const { lastRecv } = known as Tombstone
      return this.#begin(channel, hello, visitor, { ...welcome, lastRecv })
    }
    if (hello.attempt <= kept.attempt) {
      const reason = 'A later connection of the same session came before this one'
      return { refuse: { code: CloseCode.takenOver, reason } }
    }
    const resumed = kept.channel.resume(connection, resume.recv, visitor)
    if (!resumed) {
      const reason = `The protocol was broken: a recv of ${String(resume.recv)} can't be`
      return { refuse: { code: CloseCode.violation, reason } }
    }
    this.#unwait(kept)
    kept.attempt = hello.attempt
    kept.identity = visitor.identity
    channel.abandon()
    const { sid, token } = resume
    const { windowMs } = this.#options
    return {
      welcome: { ...welcome, sid, token, resumed: true, recv: resumed.recv, windowMs },
      events: resumed.events,
    }
  }

  /** A channel has lost its connection: its session, where it has one, waits for another. */
  down(channel: LiveChannel): void {
    const kept = this.#kept.get(channel.id)
    if (!kept) return
    const timer = setTimeout(() => channel.end(EXPIRED), this.#options.windowMs)
    kept.detached = { timer, bytes: 0 }
    this.#detached.add(kept)
    this.#weigh(kept)
  }

  /** What a channel holds may have changed. */
  changed(channel: LiveChannel): void {
    if (this.#detached.size === 0) return
    const kept = this.#kept.get(channel.id)
    if (kept?.detached) this.#weigh(kept)
  }

  /** A channel is over, and so is its session. */
  ended(channel: LiveChannel, { code }: CloseInfo, recv: number | undefined): void {
    const kept = this.#kept.get(channel.id)
    if (!kept) return
    this.#unwait(kept)
    this.#kept.delete(channel.id)
    if (recv === undefined || FORGOTTEN.has(code)) return
    const { tokenHash, identity } = kept
    this.#tombstones.add(channel.id, { tokenHash, identity, lastRecv: recv })
  }

  /** Ends those without a connection: nobody can come back any more. */
  close(info: CloseInfo): void {
    for (const { channel } of [...this.#detached]) channel.end(info)
  }

  #begin(
    channel: LiveChannel,
    { attempt, limits }: HelloParams,
    { identity }: Visitor,
    welcome: Welcome,
  ): Reception {
    if (limits.buf === undefined) return { welcome }
    const token = randomBytes(32).toString('base64url')
    const tokenHash = hash(token)
    this.#kept.set(channel.id, { channel, tokenHash, identity, attempt, detached: undefined })
    channel.begin(limits.buf)
    const { windowMs } = this.#options
    return { welcome: { ...welcome, token, recv: 0, windowMs } }
  }

  #isProven(
    { tokenHash, identity }: Pick<Kept, 'tokenHash' | 'identity'>,
    { token }: Resume,
    visitor: Visitor,
  ): boolean {
    if (!timingSafeEqual(tokenHash, hash(token))) return false
    try {
      return this.#options.sameIdentity(identity, visitor.identity) === true
    } catch {
      // Who can't be told to be the same is somebody else.
      return false
    }
  }

  /** It is not one of those any more that wait for their client. */
  #unwait(kept: Kept): void {
    if (!kept.detached) return
    clearTimeout(kept.detached.timer)
    this.#detachedBytes -= kept.detached.bytes
    kept.detached = undefined
    this.#detached.delete(kept)
  }

  /** Looks at what a session without a connection holds, and ends the oldest where all hold too much. */
  #weigh(kept: Kept): void {
    if (!kept.detached) return
    const bytes = kept.channel.heldBytes
    this.#detachedBytes += bytes - kept.detached.bytes
    kept.detached.bytes = bytes
    const { maxDetached, maxDetachedBytes } = this.#options
    for (const oldest of this.#detached) {
      if (this.#detached.size <= maxDetached && this.#detachedBytes <= maxDetachedBytes) return
      // First: while it ends, it tells of changes.
      this.#unwait(oldest)
      oldest.channel.end(EVICTED)
    }
  }
}

const EXPIRED: CloseInfo = {
  code: CloseCode.timedOut,
  reason: 'The client did not come back in time',
}
const EVICTED: CloseInfo = {
  code: CloseCode.tryAgainLater,
  reason: 'Too many sessions wait for their clients; this one waited the longest',
}

/** After these nobody comes back: the numbers are of no use, or who it was may not know of them. */
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
  if (typeof options !== 'object' || options === null) {
    throw new RpcConfigError('resume must be an object such as { windowMs: 30_000 }')
  }
  const {
    windowMs = 30_000,
    maxDetached = 1_000,
    maxDetachedBytes = 64 * 1024 * 1024,
    sameIdentity = isDeepStrictEqual,
  } = options
  for (const [name, value] of Object.entries({ windowMs, maxDetached, maxDetachedBytes })) {
    if (Number.isInteger(value) && value > 0 && value < 2 ** 31) continue
    throw new RpcConfigError(
      `resume.${name} must be a positive integer below 2³¹; it is ${String(value)}`,
    )
  }
  if (typeof sameIdentity !== 'function') {
    throw new RpcConfigError('resume.sameIdentity must be a function of two identities')
  }
  return { windowMs, maxDetached, maxDetachedBytes, sameIdentity }
}
