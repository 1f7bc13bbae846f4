import type { SocketTransport } from '../../src/server/cluster-seat.js'
import { BUILT_IN, type BuiltInEvents } from '../../src/transport/built-in.js'
import type { CloseInfo, Transport } from '../../src/transport/transport.js'
import type { Frame } from '../../src/wire/codec.js'

/** A connection in memory that can be handed on from one receiver to the next, and lost, as the socket of a client can. */
export class HandedOnTransport implements SocketTransport {
  readonly reliable = false
  readonly #transport: Transport
  #events: BuiltInEvents | undefined
  #waiting: (() => void)[] | undefined

  constructor(transport: Transport) {
    this.#transport = transport
  }

  get [BUILT_IN](): this {
    return this
  }

  start(events: BuiltInEvents): void {
    const isFirst = this.#events === undefined
    this.#events = events
    if (!isFirst) return
    this.#transport.start({
      frame: (frame) => this.#come(() => this.read(frame)),
      close: (info: CloseInfo) => this.#come(() => this.#events?.close(info)),
    })
  }

  read(frame: Frame): void {
    this.#events?.frame(frame)
  }

  send(frame: Frame): boolean {
    return this.#transport.send(frame) !== false
  }

  close(code?: number, reason?: string): void {
    this.#transport.close(code, reason)
  }

  pause(isPaused: boolean): void {
    if (isPaused) {
      this.#waiting ??= []
      return
    }
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const come of waiting) come()
  }

  #come(come: () => void): void {
    if (this.#waiting) this.#waiting.push(come)
    else come()
  }
}
