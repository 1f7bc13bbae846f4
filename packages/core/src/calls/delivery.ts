import type { MessageLink } from '../link/message-link.js'
import { type Encoded, whyUnsendable } from '../wire/encoded.js'
import type { CoreContext } from './core-context.js'
import type { OfferResult, Outgoing } from './outbox.js'
import type { PendingCall } from './pending-call.js'

/** The way out: takes messages, keeps their order, and sends each when the link accepts it. */
export class Delivery {
  readonly #core: CoreContext
  #holdsCalls = false

  constructor(core: CoreContext) {
    this.#core = core
  }

  /** Whether no message waits. */
  get #isEmpty(): boolean {
    const flow = this.#core.flowIfAny
    return flow === undefined || flow.queue.size === 0
  }

  /**
   * Sends a message, or queues it.
   *
   * @throws {RpcOverloadedError} if it is a call, and no more calls may be queued.
   */
  send(outgoing: Outgoing): void {
    if (this.#isEmpty && this.#offer(outgoing) === 'taken') return
    const link = this.#core.link
    const isReady = link?.isReady ?? false
    const { flow, kind } = this.#core
    flow.queue.add(outgoing, isReady || (!kind.outlivesLinks && link !== undefined))
    if (!isReady) flow.checkBounds()
    // The messages ahead of it may wait for something that this one need not wait for.
    else flow.flush()
  }

  /**
   * Sends a message that no call belongs to, if it can be sent at once.
   *
   * @returns false if it must be sent in another way.
   */
  writeNow(encoded: Encoded): boolean {
    const link = this.#core.link
    if (!(link?.isReady && this.#isEmpty && link.hasRoomFor(encoded))) return false
    if (whyUnsendable(this.#core.kind.settings.format, encoded, link.peer)) return false
    return link.send(encoded)
  }

  /**
   * Sends an answer over the link on which its call arrived. If that is no longer the current link, the answer is
   * dropped.
   */
  reply(encoded: Encoded, link: MessageLink): void {
    if (link !== this.#core.link) return
    // Whether the answer may be sent was checked when it was made.
    if (this.#isEmpty && link.isReady && link.hasRoomFor(encoded)) link.send(encoded)
    else this.send({ kind: 'reply', encoded })
  }

  /** Queues an answer for a link that is not ready yet. */
  hold(encoded: Encoded): void {
    this.#core.flow.queue.add({ kind: 'reply', encoded }, true)
  }

  /** Sends another control message in the other side's session or, without one, on its connection. */
  sendControl(encoded: Encoded): void {
    // Without a link, the call that it is about has ended.
    if (this.#core.link) this.send({ kind: 'reply', encoded })
  }

  /** Removes a call that was not written. */
  remove(call: PendingCall): void {
    this.#core.flowIfAny?.queue.remove(call)
  }

  /** Puts calls back in the queue, in their order, and sends what can be sent. */
  sendAgain(outgoing: readonly Outgoing[]): void {
    this.restore(outgoing)
    this.#core.flowIfAny?.flush()
  }

  /** Puts calls back in the queue, for the next link. */
  restore(outgoing: readonly Outgoing[]): void {
    if (outgoing.length > 0) this.#core.flow.queue.restore(outgoing)
  }

  /** From now on calls wait; other messages are still sent. */
  holdCalls(): void {
    this.#holdsCalls = true
  }

  /** Another link carries messages now. */
  begin(): void {
    this.#holdsCalls = false
  }

  /**
   * The link has ended. Its answers and control messages are dropped; calls that were not written wait for the next
   * link.
   */
  end(): void {
    this.#core.flowIfAny?.queue.dropReplies()
  }

  /** Sends the messages that wait, in order, as far as the link accepts them. */
  flush(): void {
    this.#core.flowIfAny?.queue.flush((outgoing) => this.#offer(outgoing))
  }

  #offer(outgoing: Outgoing): OfferResult {
    const link = this.#core.link
    if (!link?.isReady || !link.hasRoomFor(outgoing.encoded)) return 'blocked'
    if (this.#holdsCalls && outgoing.kind !== 'reply') return 'skipped'
    const { peer } = link
    const { renew } = outgoing
    const encoded = renew ? renew(outgoing.encoded, peer.isExtended) : outgoing.encoded
    const unsendable =
      whyUnsendable(this.#core.kind.settings.format, encoded, peer) ?? outgoing.whyNot?.(peer)
    if (unsendable) {
      this.#core.refused(outgoing, unsendable, link)
      return 'taken'
    }
    if (!link.send(encoded, outgoing) && outgoing.kind !== 'reply') return 'blocked'
    if (outgoing.kind !== 'reply') this.#core.written(outgoing, link)
    return 'taken'
  }
}
