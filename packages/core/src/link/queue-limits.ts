import type { ChannelLimits } from './limits.js'
import type { MessageAmount } from './message-link.js'

/**
 * Whether a call may wait behind the calls and notifications of this side that wait already.
 *
 * @param bytes the size of its message.
 * @param hasConnection whether it waits for the other side to take earlier messages; otherwise it waits for a
 *   connection.
 * @returns what waits, and what to change, for an error; undefined if it may wait.
 */
export function whyFull(
  limits: ChannelLimits,
  waiting: MessageAmount,
  bytes: number,
  hasConnection: boolean,
): string | undefined {
  const now = `${waiting.messages} messages of ${waiting.bytes} bytes wait for`
  const most = (messages: number, size: number) =>
    `and at most ${messages} messages or ${size} bytes may`
  if (hasConnection) {
    const { waitingMessages, waitingBytes } = limits
    const isFull = waiting.messages >= waitingMessages || waiting.bytes + bytes > waitingBytes
    if (!isFull || waiting.messages === 0) return undefined
    return `${now} the other side to take what was sent before, ${most(waitingMessages, waitingBytes)}. Wait for earlier calls and notifications before you make more, or raise the limits "waitingMessages" and "waitingBytes"`
  }
  const { queuedMessages, queuedBytes } = limits
  if (waiting.messages < queuedMessages && waiting.bytes + bytes <= queuedBytes) return undefined
  return `${now} a connection, ${most(queuedMessages, queuedBytes)}. Wait for the state "connected", or raise the limits "queuedMessages" and "queuedBytes"`
}
