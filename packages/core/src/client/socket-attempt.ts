import { describeThrown } from '../errors/errors.js'
import type { WebSocketLike } from '../transport/web-socket.js'
import type { Failure } from './retry.js'
import type { OpeningSocket } from './socket.js'

export interface AttemptEvents {
  readonly timeoutMs: number
  /** @param timeLeftMs how much time the attempt has left, in ms. */
  open(socket: WebSocketLike, timeLeftMs: number): void
  /** The socket closed before it was open. */
  failed(failure: Failure): void
}

/** How long a socket may take over its closing handshake, in ms. */
const GOODBYE_MS = 1_000

/**
 * One attempt to open a socket, and the socket that came of it. `reconnecting-websocket` takes it
 * for a WebSocket: it hears of `open` and `close`, and of nothing else.
 */
export class SocketAttempt {
  binaryType = 'arraybuffer'
  /** Resolves when the socket is closed on the wire. */
  readonly whenClosed: Promise<void>
  readonly #socket: WebSocketLike | undefined
  readonly #listeners = new Map<string, Set<(event: unknown) => void>>()
  #resolveClosed: () => void = () => {}
  #timer: ReturnType<typeof setTimeout> | undefined
  #readyState = 0
  #timedOut = false
  #isLeft = false

  constructor(open: () => OpeningSocket, events: AttemptEvents) {
    this.whenClosed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    let opening: OpeningSocket
    try {
      opening = open()
    } catch (thrown) {
      // Told later, once `reconnecting-websocket` listens.
      setTimeout(() => {
        events.failed({ message: describeThrown(thrown), closeCode: 1006, cause: thrown })
        this.#closed()
        this.abandon()
      })
      return
    }
    const { socket, proxy, failure } = opening
    const through = proxy === undefined ? '' : `, through the proxy ${proxy}`
    this.#socket = socket
    const end = performance.now() + events.timeoutMs
    this.#timer = setTimeout(() => {
      this.#timedOut = true
      this.close()
    }, events.timeoutMs)
    socket.addEventListener('error', () => {})
    socket.addEventListener('open', () => {
      if (this.#readyState !== 0 || this.#isLeft) return
      clearTimeout(this.#timer)
      this.#readyState = 1
      events.open(socket, Math.max(0, end - performance.now()))
      this.#tell('open', {})
    })
    socket.addEventListener('close', ({ code, reason }) => {
      clearTimeout(this.#timer)
      if (this.#readyState === 0 && !this.#isLeft) {
        const message = this.#timedOut
          ? `no connection within ${events.timeoutMs} ms${through}`
          : reason || 'the connection could not be opened'
        const known = this.#timedOut ? { remedy: 'Is the server running?' } : failure()
        events.failed({ message, closeCode: code, ...known })
      }
      this.#closed()
      this.abandon()
    })
  }

  get readyState(): number {
    return this.#readyState
  }

  addEventListener(type: string, listener: (event: unknown) => void): void {
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners.add(listener))
  }

  removeEventListener(type: string, listener: (event: unknown) => void): void {
    this.#listeners.get(type)?.delete(listener)
  }

  /** Closes the socket, or gives up opening it. */
  close(code?: number, reason?: string): void {
    this.#socket?.close(code, reason)
  }

  /** `reconnecting-websocket` is told that this socket is closed, whatever its state on the wire. */
  abandon(): void {
    if (this.#readyState === 3) return
    this.#readyState = 3
    this.#tell('close', { code: 1006, reason: '' })
  }

  /** Gives up an attempt because another one begins; its end is not reported. */
  leave(): void {
    this.#isLeft = true
    clearTimeout(this.#timer)
    if (this.#socket?.terminate) this.#socket.terminate()
    else this.close()
    this.abandon()
  }

  /** Closes the socket, and ends it where that takes too long. */
  async closed(): Promise<void> {
    const timer = setTimeout(() => {
      this.#socket?.terminate?.()
      this.#closed()
    }, GOODBYE_MS)
    this.close()
    await this.whenClosed
    clearTimeout(timer)
  }

  #closed(): void {
    this.#resolveClosed()
  }

  #tell(type: string, event: object): void {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) listener(event)
  }
}
