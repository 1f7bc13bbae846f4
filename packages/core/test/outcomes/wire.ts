import type { CloseInfo, Frame, Transport, TransportEvents } from '@flashrpc/core'

type Carried = { frame: Frame } | { close: CloseInfo }

/**
 * A connection whose every frame is carried by hand: two queues, that can be cut anywhere. What one end
 * sent before the cut may still be delivered after it, and neither end learns of the cut by itself.
 */
export class Wire {
  readonly client: End
  readonly server: End
  /** What is on its way to the server, and to the client. */
  readonly up: Carried[] = []
  readonly down: Carried[] = []
  isCut = false

  constructor() {
    this.client = new End(this, this.up)
    this.server = new End(this, this.down)
  }

  /** Hands over the next so many frames. */
  deliver(way: 'up' | 'down', count: number): void {
    const end = way === 'up' ? this.server : this.client
    for (const carried of this[way].splice(0, count)) end.receive(carried)
  }

  /** Breaks it: of what is on its way, so much at the end is lost. */
  cut(lostUp: number, lostDown: number): void {
    this.isCut = true
    this.up.splice(Math.max(0, this.up.length - lostUp))
    this.down.splice(Math.max(0, this.down.length - lostDown))
  }
}

class End implements Transport {
  readonly reliable = false
  readonly #wire: Wire
  readonly #out: Carried[]
  #events: TransportEvents | undefined
  #isClosed = false

  constructor(wire: Wire, out: Carried[]) {
    this.#wire = wire
    this.#out = out
  }

  start(events: TransportEvents): void {
    this.#events = events
  }

  send(frame: Frame): boolean {
    if (this.#isClosed) return false
    // Whoever does not know of the cut believes that it left.
    if (!this.#wire.isCut) this.#out.push({ frame })
    return true
  }

  close(code = 1000, reason = ''): void {
    if (this.#isClosed) return
    if (!this.#wire.isCut) this.#out.push({ close: { code, reason } })
    this.#end({ code, reason })
  }

  /** It finds out that the connection is gone, or believes it, and lets go of it. */
  lose(): void {
    this.#wire.isCut = true
    this.#end({ code: 1006, reason: '' })
  }

  receive(carried: Carried): void {
    if (this.#isClosed) return
    if ('frame' in carried) this.#events?.frame(carried.frame)
    else this.#end(carried.close)
  }

  #end(info: CloseInfo): void {
    if (this.#isClosed) return
    this.#isClosed = true
    queueMicrotask(() => this.#events?.close(info))
  }
}
