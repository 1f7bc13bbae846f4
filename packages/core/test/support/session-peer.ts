import type { RawPeer } from './raw-peer.js'

/** A message as its exact text, with the bytes that follow it. */
export interface RawMessage {
  readonly text: string
  readonly bytes?: readonly Uint8Array[]
  /** Whether a session counts it. Default true. */
  readonly isCounted?: boolean
}

/**
 * One side of a session, written by hand. It sends exact frames of several messages and, after a cut, sends those
 * again that the other side has not counted.
 */
export class SessionPeer {
  /** How many counted messages of the other side have come. */
  recv = 0
  /** The counted messages that have come. */
  // biome-ignore lint/suspicious/noExplicitAny: what came is compared as a whole, or read by name
  readonly came: any[] = []
  readonly #sent: RawMessage[] = []
  #peer: RawPeer | undefined

  /** How many counted messages were sent. */
  get sent(): number {
    return this.#sent.length
  }

  /** Goes on over a connection; the other side has counted `recv` messages. */
  attach(peer: RawPeer, counted: number): void {
    this.#peer = peer
    for (const message of this.#sent.slice(counted)) this.#write([message])
    void this.#read(peer)
  }

  /** Sends messages in one frame. */
  send(messages: readonly RawMessage[]): void {
    this.#sent.push(...messages.filter(({ isCounted = true }) => isCounted))
    this.#write(messages)
  }

  #write(messages: readonly RawMessage[]): void {
    const texts = messages.map(({ text }) => text)
    const [first] = texts
    const isAlone = texts.length === 1 && first?.startsWith('{')
    this.#peer?.send(isAlone ? first : `[${texts.join()}]`)
    for (const part of messages.flatMap(({ bytes = [] }) => bytes)) this.#peer?.send(part)
  }

  /** Cuts the connection, and ignores all that still comes over it. */
  cut(): void {
    const peer = this.#peer
    this.#peer = undefined
    peer?.socket.terminate()
  }

  async #read(peer: RawPeer): Promise<void> {
    for (;;) {
      const frame = await peer.nextJson().catch(() => undefined)
      if (frame === undefined || this.#peer !== peer) return
      for (const message of [frame].flat()) {
        if (['rpc.ack', 'rpc.pong', 'rpc.ping'].includes(message.method)) continue
        this.recv++
        this.came.push(message)
      }
    }
  }
}
