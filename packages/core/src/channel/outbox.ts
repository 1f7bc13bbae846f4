import { RpcOverloadedError } from '../errors.js'
import { type Encoded, encodedBytes } from '../wire/encoded.js'
import type { PendingCall } from './pending-calls.js'

/** A message that waits for a connection, and the call whose fate it decides. */
export interface Unsent {
  readonly encoded: Encoded
  readonly call: PendingCall
  /** A call goes on to wait for its answer; a notification has ended once it is written. */
  readonly kind: 'call' | 'notification'
}

export interface OutboxLimits {
  /** The most messages that wait. */
  readonly messages: number
  /** The most bytes that wait. */
  readonly bytes: number
}

/**
 * What has been said and not yet written, in order: bounded, and each message can still be taken
 * back, which proves that it was never sent.
 */
export class Outbox {
  readonly #limits: OutboxLimits
  readonly #unsent = new Map<PendingCall, Unsent & { bytes: number }>()
  #bytes = 0

  constructor(limits: OutboxLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#unsent.size
  }

  /** @throws {RpcOverloadedError} where the outbox is full; the message is not kept. */
  add(unsent: Unsent): void {
    const { messages, bytes: maxBytes } = this.#limits
    const bytes = encodedBytes(unsent.encoded)
    if (this.#unsent.size >= messages || this.#bytes + bytes > maxBytes) {
      throw new RpcOverloadedError(
        `"${unsent.call.method}" was not sent: ${this.#unsent.size} messages of ${this.#bytes} bytes wait for a connection, and ${messages} or ${maxBytes} bytes may. Wait for the state "connected", or raise the limits "queuedMessages" and "queuedBytes"`,
        { method: unsent.call.method },
      )
    }
    this.#unsent.set(unsent.call, { ...unsent, bytes })
    this.#bytes += bytes
  }

  /** Takes a call's message back. */
  remove(call: PendingCall): void {
    const unsent = this.#unsent.get(call)
    if (!unsent) return
    this.#unsent.delete(call)
    this.#bytes -= unsent.bytes
  }

  /** Hands messages over in order, until none is left or one is not taken. */
  flush(take: (unsent: Unsent) => boolean): void {
    for (const unsent of this.#unsent.values()) {
      if (!take(unsent)) return
      this.remove(unsent.call)
    }
  }
}
