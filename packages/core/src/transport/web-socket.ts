import { RpcConfigError } from '../errors/errors.js'
import { type Frame, frameBytes } from '../wire/codec.js'
import { BUILT_IN, type BuiltInEvents, type BuiltInTransport } from './built-in.js'
import type { CloseInfo, Transport } from './transport.js'

/** `Uint8Array<ArrayBuffer>`, which is not a type before TypeScript 5.7. */
export type UnsharedBytes = Uint8Array & {
  /** The memory of the bytes, which no other thread has. */
  readonly buffer: ArrayBuffer
}

/** The part of a WebSocket that is needed: of the browser's, Node's, or that of `ws`. */
export interface WebSocketLike {
  /** 0 while it connects, 1 while it is open, 2 while it closes, 3 when it is closed. */
  readonly readyState: number
  /** The form in which bytes arrive. */
  binaryType: string
  /** Sends a frame. */
  send(data: string | UnsharedBytes): void
  /** Closes the socket. */
  close(code?: number, reason?: string): void
  /** Adds a listener. */
  addEventListener(type: 'open' | 'error', listener: (event: unknown) => void): void
  /** Adds a listener for frames. */
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  /** Adds a listener for the end. */
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void
  /** `ws` only: a ping of the protocol; its pong comes as an event. */
  ping?(): void
  /** `ws` only: adds a listener for pings and pongs. */
  on?(event: 'ping' | 'pong', listener: () => void): unknown
  /** The bytes that wait to be sent. */
  readonly bufferedAmount?: number
  /** `ws` only: stops reading, or goes on. */
  pause?(): void
  /** `ws` only: reads again. */
  resume?(): void
  /** `ws` only: ends the connection without the closing handshake. */
  terminate?(): void
}

/** The value of `readyState` if the socket is open. */
export const OPEN = 1
export const CLOSED = 3

/** The end of a socket whose 'close' came before it had a listener. */
export const CLOSED_BEFORE: CloseInfo = { code: 1006, reason: 'The socket was closed already' }

/**
 * A transport over a WebSocket that is open already.
 *
 * @throws {RpcConfigError} if it is not a WebSocket.
 */
export function webSocketTransport(socket: WebSocketLike): Transport {
  assertWebSocket(socket)
  socket.binaryType = 'arraybuffer'
  // Browsers copy what they send; `ws` may hold it.
  const isHeld = socket.terminate !== undefined
  // The amount that was sent (text by its length), and the part of it that waited at the last check.
  let sent = 0
  let waiting = 0
  let taken = 0
  const transport: BuiltInTransport = {
    get [BUILT_IN]() {
      return transport
    },
    reliable: false,
    get isOpen() {
      return socket.readyState === OPEN
    },
    get bufferedBytes() {
      return socket.bufferedAmount ?? 0
    },
    start(events: BuiltInEvents) {
      socket.addEventListener('message', ({ data }) => {
        events.frame(typeof data === 'string' ? data : toBytes(data))
      })
      socket.addEventListener('close', ({ code, reason }) => events.close({ code, reason }))
      // An 'error' is always followed by 'close'. Without a listener, it would end a Node process.
      socket.addEventListener('error', (event) => {
        const { error } = event as { error?: unknown }
        if (isUnreadable(error)) events.unreadable?.(error)
      })
      socket.on?.('pong', () => {
        events.otherFrames?.(1, 0)
        events.pong?.()
      })
      socket.on?.('ping', () => events.otherFrames?.(1, 0))
      if (socket.readyState === CLOSED) {
        queueMicrotask(() => events.close(CLOSED_BEFORE))
      }
    },
    send(frame: Frame) {
      if (socket.readyState !== OPEN) return false
      sent += frame.length
      socket.send(isHeld && typeof frame !== 'string' ? new Uint8Array(frame) : (frame as string))
      return true
    },
    hasMoved() {
      const wasWaiting = waiting > 0
      const before = taken
      waiting = socket.bufferedAmount ?? 0
      // Text may take more bytes than its length, so the real number that has left may be larger than this, never
      // smaller.
      taken = sent - waiting
      return wasWaiting && taken > before
    },
    close(code = 1000, reason = '') {
      socket.close(socket.terminate ? code : permitted(code), truncateReason(reason))
    },
    ...(socket.terminate && { terminate: () => socket.terminate?.() }),
    ...(socket.pause && {
      pause: (isPaused: boolean) => (isPaused ? socket.pause?.() : socket.resume?.()),
    }),
    ...(socket.ping && { ping: () => socket.ping?.() }),
  }
  return transport
}

function assertWebSocket(socket: unknown): void {
  const { send, close, addEventListener } = (socket ?? {}) as Partial<WebSocketLike>
  if ([send, close, addEventListener].every((member) => typeof member === 'function')) return
  throw new RpcConfigError(
    'webSocketTransport takes a WebSocket: that of the browser, of Node or of ws',
  )
}

/** Whether an error of `ws` says that a frame breaks RFC 6455, or is too large. Browsers report no reason. */
export function isUnreadable(error: unknown): error is Error {
  return String((error as { code?: unknown } | undefined)?.code).startsWith('WS_ERR_')
}

function toBytes(data: unknown): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  }
  throw new TypeError('A WebSocket delivered a message that is neither text nor an ArrayBuffer')
}

/**
 * The browser's WebSocket, and those that imitate it, close with 1000 and 3000–4999 only, and throw for all other
 * codes. There, 1009 is sent as 4009.
 */
function permitted(code: number): number {
  return code === 1000 || code >= 3000 ? code : 3000 + code
}

/** RFC 6455, section 5.5: a control frame carries 125 bytes, two of which are the code. */
export function truncateReason(reason: string): string {
  if (frameBytes(reason) <= 123) return reason
  let kept = ''
  let bytes = 0
  for (const character of reason) {
    bytes += frameBytes(character)
    if (bytes > 120) break
    kept += character
  }
  return kept
}
