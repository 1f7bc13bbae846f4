import type { Frame } from '../wire/codec.js'
import { BUILT_IN, type BuiltInTransport } from './built-in.js'
import type { CloseInfo, Transport, TransportEvents } from './transport.js'

/**
 * Makes two linked transports in one process. Each receives the frames that the other sends, in order, and never in the
 * sender's own turn.
 */
export function memoryTransportPair(): [Transport, Transport] {
  const left = new MemoryTransport()
  const right = new MemoryTransport()
  left.link(right)
  right.link(left)
  return [left, right]
}

class MemoryTransport implements BuiltInTransport {
  readonly reliable = true
  #peer: MemoryTransport | undefined
  #events: TransportEvents | undefined
  #early: (() => void)[] = []
  #ended = false

  get [BUILT_IN](): this {
    return this
  }

  link(peer: MemoryTransport): void {
    this.#peer = peer
  }

  start(events: TransportEvents): void {
    this.#events = events
    for (const deliver of this.#early.splice(0)) queueMicrotask(deliver)
  }

  send(frame: Frame): boolean {
    if (this.#ended) return false
    this.#peer?.receive(typeof frame === 'string' ? frame : new Uint8Array(frame))
    return true
  }

  close(code = 1000, reason = ''): void {
    this.end({ code, reason })
    this.#peer?.end({ code, reason })
  }

  receive(frame: Frame): void {
    this.#deliver(() => this.#events?.frame(frame))
  }

  end(info: CloseInfo): void {
    if (this.#ended) return
    this.#ended = true
    // Frames that were sent before the end still arrive before it.
    this.#deliver(() => this.#events?.close(info))
  }

  #deliver(delivery: () => void): void {
    if (this.#events) queueMicrotask(delivery)
    else this.#early.push(delivery)
  }
}
