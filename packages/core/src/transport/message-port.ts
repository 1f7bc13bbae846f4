import type { Frame } from '../wire/codec.js'
import { BUILT_IN, type BuiltInTransport } from './built-in.js'
import { type MessagePortLike, type NodeWorkerLike, portOf, type WorkerLike } from './ports.js'
import type { CloseInfo, Transport, TransportEvents } from './transport.js'

/** The message that announces the end, because browsers fire no `close` event on a port whose other end is closed. */
interface CloseMessage extends CloseInfo {
  readonly flashrpc: 'close'
}

/** Electron loses such a message whole (electron/electron#34905). */
const NULL =
  'A port delivered null: in Electron, a message that transfers an ArrayBuffer; copy it instead'

/**
 * A transport to a window, a frame, a worker or a worker thread, over a port or the worker itself.
 *
 * Frames are posted whole. When the connection ends, a port is closed. A worker goes on until its own program or
 * `terminate()` ends it. Make the transport before you await anything else: unlike a port, a worker does not keep
 * messages that arrive before it has a listener.
 *
 * The end of a Node `Worker` ends the connection (1006). A browser does not report the end of a terminated worker:
 * there, calls end by their timeout.
 *
 * @param port a `MessagePort` of the DOM or of `node:worker_threads`, such as `parentPort`; a `Worker` of either; or
 *   `self` in a browser's worker. It is for this connection alone.
 * @throws {RpcConfigError} if it is none of these.
 */
export function messagePortTransport(
  port: MessagePortLike | WorkerLike | NodeWorkerLike,
): Transport {
  const here = portOf(port)
  let events: TransportEvents | undefined
  let closed = false

  function ended(info: CloseInfo): void {
    if (closed) return
    closed = true
    here.end()
    // As with a socket, the end is reported after the call that caused it has returned.
    queueMicrotask(() => events?.close(info))
  }

  function close(code: number, reason: string): void {
    if (closed) return
    port.postMessage({ flashrpc: 'close', code, reason } satisfies CloseMessage)
    ended({ code, reason })
  }

  function take(data: unknown): void {
    if (closed) return
    if (typeof data === 'string' || data instanceof Uint8Array) events?.frame(data)
    else close(1003, data === null ? NULL : 'A port delivered what is neither text nor bytes')
  }

  function post(message: Frame | readonly Frame[]): boolean {
    if (!closed) port.postMessage(message)
    return !closed
  }

  const transport: BuiltInTransport = {
    get [BUILT_IN]() {
      return transport
    },
    reliable: true,
    start(channelEvents) {
      events = channelEvents
      here.listen({
        message(data) {
          if (isCloseMessage(data)) ended({ code: data.code, reason: data.reason })
          else if (Array.isArray(data)) for (const frame of data) take(frame)
          else take(data)
        },
        unreadable: () => close(1003, 'A message on the port could not be read'),
        gone: (reason) => ended({ code: 1006, reason }),
      })
    },
    send: (frame) => post(carried(frame)),
    // One array, because each posted value wakes the other side. An array made by `map` is cloned slowly, as one with
    // holes.
    sendTogether: (frames) => post(Array.from(frames, carried)),
    close: (code = 1000, reason = '') => close(code, reason),
  }
  return transport
}

/** Copies bytes, because a port clones the whole memory that they are a part of. */
function carried(frame: Frame): Frame {
  const isWhole = typeof frame === 'string' || frame.byteLength === frame.buffer.byteLength
  return isWhole ? frame : new Uint8Array(frame)
}

function isCloseMessage(data: unknown): data is CloseMessage {
  if (typeof data !== 'object' || data === null) return false
  const { flashrpc, code, reason } = data as Partial<CloseMessage>
  return flashrpc === 'close' && typeof code === 'number' && typeof reason === 'string'
}
