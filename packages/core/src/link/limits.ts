import { assertCount } from '../errors/assert-number.js'
import type { NearestName } from '../errors/nearest.js'
import { withDefaults } from '../errors/options.js'

/** The limits of one channel. Each is a positive integer. `Infinity` lifts a limit if its description says so. */
export interface ChannelLimits {
  /**
   * The largest message accepted, and offered to the other side as the limit, in bytes. Default 1 MiB.
   * A larger one ends the connection (1009).
   */
  readonly message: number
  /**
   * How many levels of JSON a message may nest. The other side is told this limit. Default 256. A deeper message is
   * answered −32600; messages beside it are not affected.
   */
  readonly depth: number
  /**
   * The most messages in one batch, or in one frame. Default 100. A longer batch is answered −32600, as a whole. A
   * frame with more messages, from a side that was told the limit, ends the connection (4400).
   */
  readonly batch: number
  /**
   * The most calls and notifications of the other side that run here at once; or `Infinity`. Default
   * 1,000. One more is answered −32003, and has not run.
   */
  readonly running: number
  /**
   * The most memory, in bytes, that calls and notifications of the other side may take here while they run or wait to
   * be begun; or `Infinity`. It is an estimate: small values in JSON take many times their length. Default 64 MiB. A
   * call that would exceed it is answered −32003, and has not run. If nothing else runs, a call is accepted whatever
   * its size.
   */
  readonly runningBytes: number
  /**
   * The most messages that a server reads from one client in a second; or `Infinity`. Default 500,000, which keeps
   * about one core busy. Frames of other kinds count as messages: pings, pongs, fragments, refused messages. If a
   * client sends more, its socket is not read for a while.
   */
  readonly messagesPerSecond: number
  /** The same in bytes, text by its length. Default 1 GiB. */
  readonly bytesPerSecond: number
  /**
   * The most bytes that may wait in the socket; or `Infinity`. Default 1 MiB. Further messages wait outside of the
   * socket, in order.
   */
  readonly sendBuffer: number
  /**
   * The most calls and notifications of this side that may wait, while there is a connection, until the other side has
   * taken what was sent before. Default 65,536. One more fails with `RpcOverloadedError`, `not-sent`.
   */
  readonly waitingMessages: number
  /**
   * The most bytes of these messages, text by its length. Default 16 MiB. If nothing else waits, a call may wait
   * whatever its size.
   */
  readonly waitingBytes: number
  /**
   * The most bytes of answers, stream items and progress that may wait for the other side, text by its length. Default
   * 32 MiB. While more than a quarter of it waits, calls of the other side are not begun. An answer beyond it is
   * replaced by the error −32003.
   */
  readonly answerBytes: number
  /**
   * How long, in ms, the other side may read nothing of the messages that wait for it, and acknowledge nothing. Default
   * 20,000. Then the connection ends (1013). In a session, a large message that is on its way gets 1 ms more for each
   * 16 bytes.
   */
  readonly stalledMs: number
  /** The most calls and notifications of a client that wait for a connection. Default 256. */
  readonly queuedMessages: number
  /** The most bytes of them, text by its length. Default 1 MiB. */
  readonly queuedBytes: number
  /**
   * The most messages of a session that are sent before the other side acknowledges them; further ones wait. Default
   * 16,384. An acknowledgement comes with every 32 messages, or after 1 s. Streams leave half of this limit to calls,
   * so with a limit below 64 they wait for that second.
   */
  readonly unackedMessages: number
  /** The most bytes of them, text by its length. Default 4 MiB. */
  readonly unackedBytes: number
  /** The most items of one stream that may wait for their reader; at the most 65,535. Default 32. */
  readonly streamItems: number
  /**
   * The most bytes of one stream that may wait for their reader, estimated from the sizes of its earlier items. One
   * item is accepted whatever its size. Text by its length. Default 1 MiB.
   */
  readonly streamBytes: number
  /**
   * The most bytes of all streams together that may wait here for their readers. Default 64 MiB. An item beyond it ends
   * its stream with `RpcOverloadedError`.
   */
  readonly allStreamBytes: number
  /**
   * The most groups that a channel may be in. Default 1,000. `join` beyond it throws `RpcOverloadedError`. In a cluster,
   * each group with members is a subscription.
   */
  readonly groups: number
}

const MIB = 1024 * 1024

/** The defaults, one object for all channels. */
export const DEFAULT_LIMITS: ChannelLimits = Object.freeze({
  message: MIB,
  depth: 256,
  batch: 100,
  running: 1_000,
  runningBytes: 64 * MIB,
  messagesPerSecond: 500_000,
  bytesPerSecond: 1_024 * MIB,
  sendBuffer: MIB,
  waitingMessages: 65_536,
  waitingBytes: 16 * MIB,
  answerBytes: 32 * MIB,
  stalledMs: 20_000,
  queuedMessages: 256,
  queuedBytes: MIB,
  unackedMessages: 16_384,
  unackedBytes: 4 * MIB,
  streamItems: 32,
  streamBytes: MIB,
  allStreamBytes: 64 * MIB,
  groups: 1_000,
})

/** The most items that a producer may be allowed to send ahead (docs/protocol.md, "Streams"). */
export const MOST_CREDIT = 65_535

/** The limits that the protocol bounds. */
const MOST: Readonly<Record<string, number>> = { streamItems: MOST_CREDIT }

/** The limits that may be `Infinity`. */
const LIFTABLE: ReadonlySet<string> = new Set([
  'running',
  'runningBytes',
  'messagesPerSecond',
  'bytesPerSecond',
  'sendBuffer',
])

/**
 * @param nearest finds the limit that was probably meant; without it, an error lists the limits.
 * @returns the limits with their defaults.
 * @throws {RpcConfigError} naming the limit that is unknown, or is not valid.
 */
export function resolveLimits(
  limits: Partial<ChannelLimits> | undefined,
  nearest: NearestName | undefined,
): ChannelLimits {
  if (limits === undefined) return DEFAULT_LIMITS
  const resolved = withDefaults('limits', limits, DEFAULT_LIMITS, nearest)
  for (const [name, value] of Object.entries(resolved)) {
    assertCount(`limits.${name}`, value, { orInfinity: LIFTABLE.has(name), most: MOST[name] })
  }
  return resolved
}
