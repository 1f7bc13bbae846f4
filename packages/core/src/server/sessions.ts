import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { guarded } from '../base/guarded.js'
import type { LiveChannel, Visitor } from '../channels/live-channel.js'
import { assertCount } from '../errors/assert-number.js'
import { withDefaults } from '../errors/assert-options.js'
import { RpcConfigError } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
import type { Connection } from '../link/connection.js'
import type { HelloParams, Resume } from '../link/hello.js'
import type { Reception, Welcome } from '../link/server-handshake.js'
import { hookContext } from '../logging/error-context.js'
import { CloseCode } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'
import { type Owner, SHARE } from './shares.js'
import { Shelf } from './shelf.js'
import { type Tombstone, Tombstones } from './tombstones.js'

/** How sessions are kept that have lost their connection. */
export interface ResumeOptions<Identity = unknown> {
  /** How long a session outlives its connection, in ms. Default 30,000. */
  windowMs?: number
  /**
   * How many sessions without a connection are kept. If there are more, one ends: the session that has waited the
   * longest, of the owner with the most sessions. An owner with more than its `limits.share` loses one of its own.
   * Default 1,000.
   */
  maxDetached?: number
  /** How many bytes they may hold together for their clients, text by its length; as above. Default 64 MiB. */
  maxDetachedBytes?: number
  /**
   * Whether the identity of a client that comes back, as `authenticate` gave it this time, is the one that began the
   * session. Default: whether the two are alike in all their members. If some members differ each time, such as the
   * time at which a token expires, compare others: `(before, now) => before.id === now.id`.
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
  /** Of the connection that was attached last. */
  attempt: number
  /** Without a connection: what ends it when the window is over. */
  timer: ReturnType<typeof setTimeout> | undefined
}

/**
 * The sessions of an endpoint: with a connection, without one for the time of the window, and, of
 * those that have ended, how far they had come (docs/protocol.md, "Sessions").
 */
export class Sessions {
  readonly #options: Required<ResumeOptions>
  /** All sessions, by their id. */
  readonly #kept = new Map<string, Kept>()
  /** Sessions without a connection, in the order in which they lost it. */
  readonly #detached = new Set<Kept>()
  readonly #shelf: Shelf<Kept>
  readonly #tombstones: Tombstones

  /** @param share the part of what is kept that one owner may have. */
  constructor(options: ResumeOptions, share: number = SHARE) {
    this.#options = resolveResumeOptions(options)
    const { maxDetached, maxDetachedBytes } = this.#options
    this.#shelf = new Shelf(maxDetached, maxDetachedBytes, share)
    this.#tombstones = new Tombstones(share)
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
    const kept = this.#kept.get(resume.sid)
    const known = kept ?? this.#tombstones.find(resume.sid)
    if (!known) return this.#begin(channel, hello, visitor, welcome)
    // A client without the right token, or with another identity, gets a new session and learns nothing. Such attempts
    // are not counted: a random token of 256 bits can't be guessed, and a ban would hit other clients of the same
    // address.
    if (!this.#isProven(known, resume, channel)) {
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
    const recv = kept.channel.resume(connection, resume.recv, visitor)
    if (recv === undefined) {
      const reason = `The protocol was broken: a recv of ${quoted(resume.recv)} can't be`
      return { refuse: { code: CloseCode.violation, reason } }
    }
    this.#unwait(kept)
    kept.attempt = hello.attempt
    kept.identity = visitor.identity
    kept.owner = visitor.owner
    channel.abandon()
    const { sid, token } = resume
    const { windowMs } = this.#options
    return { welcome: { ...welcome, sid, token, resumed: true, recv, windowMs } }
  }

  /** A channel has lost its connection: its session, where it has one, waits for another. */
  down(channel: LiveChannel): void {
    const kept = this.#kept.get(channel.id)
    if (!kept) return
    kept.timer = setTimeout(() => channel.end(EXPIRED), this.#options.windowMs)
    this.#detached.add(kept)
    this.#weigh(kept)
  }

  /** What a channel holds may have changed. */
  changed(channel: LiveChannel): void {
    if (this.#detached.size === 0) return
    const kept = this.#kept.get(channel.id)
    if (kept?.timer) this.#weigh(kept)
  }

  /** A channel is over, and so is its session. */
  ended(channel: LiveChannel, { code }: CloseInfo, recv: number | undefined): void {
    const kept = this.#kept.get(channel.id)
    if (!kept) return
    this.#unwait(kept)
    this.#kept.delete(channel.id)
    if (recv === undefined || FORGOTTEN.has(code)) return
    const { tokenHash, identity, owner } = kept
    this.#tombstones.add(channel.id, { tokenHash, identity, owner, lastRecv: recv })
  }

  /** Ends those without a connection: nobody can come back any more. */
  close(info: CloseInfo): void {
    for (const { channel } of [...this.#detached]) channel.end(info)
  }

  #begin(
    channel: LiveChannel,
    { attempt, limits }: HelloParams,
    { identity, owner }: Visitor,
    welcome: Welcome,
  ): Reception {
    if (limits.buf === undefined) return { welcome }
    const token = randomBytes(32).toString('base64url')
    const tokenHash = hash(token)
    const timer = undefined
    this.#kept.set(channel.id, { channel, tokenHash, identity, owner, attempt, timer })
    channel.begin(limits.buf)
    const { windowMs } = this.#options
    return { welcome: { ...welcome, token, recv: 0, windowMs } }
  }

  #isProven(
    { tokenHash, identity }: Pick<Kept, 'tokenHash' | 'identity'>,
    { token }: Resume,
    channel: LiveChannel,
  ): boolean {
    if (!timingSafeEqual(tokenHash, hash(token))) return false
    // A client counts as another one unless it is certain that it is the same.
    let isSame: unknown = false
    const failed = (thrown: unknown) => channel.error(thrown, hookContext('resume.sameIdentity'))
    guarded(() => {
      isSame = this.#options.sameIdentity(identity, channel.visitor.identity)
      if (typeof isSame !== 'boolean') failed(noBoolean(isSame))
      return isSame
    }, failed)
    return isSame === true
  }

  /** It is not one of those any more that wait for their client. */
  #unwait(kept: Kept): void {
    if (!kept.timer) return
    clearTimeout(kept.timer)
    kept.timer = undefined
    this.#detached.delete(kept)
    this.#shelf.take(kept.owner, kept)
  }

  /** Measures what a session without a connection holds, and ends sessions if they hold too much. */
  #weigh(kept: Kept): void {
    if (!kept.timer) return
    this.#shelf.put(kept.owner, kept, kept.channel.heldBytes)
    for (;;) {
      const oldest = this.#shelf.excess(kept.owner)
      if (!oldest) return
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
  const { sameIdentity, ...numbers } = withDefaults('resume', options, DEFAULT_RESUME)
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
    `resume.sameIdentity must return true or false, and no promise of one; it returned ${typeof given}`,
  )
}
