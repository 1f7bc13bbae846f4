import type { Frame } from '../wire/codec.js'
import type { CloseInfo, Transport, TransportEvents } from './transport.js'

/** As much of a port as is needed: the DOM's `MessagePort`, that of `node:worker_threads`. */
export interface MessagePortLike {
  postMessage(message: unknown): void
  start?(): void
  close(): void
  // biome-ignore lint/suspicious/noExplicitAny: the DOM's and Node's events have no type in common
  addEventListener(type: string, listener: (event: any) => void): void
}

/** Says goodbye: a stock browser fires no `close` event on a port whose other end is closed. */
interface Goodbye extends CloseInfo {
  readonly flashrpc: 'close'
}

/** Electron loses such a message whole (electron/electron#34905). */
const NULL =
  'A port delivered null: in Electron, a message that transfers an ArrayBuffer; copy it instead'

/**
 * A transport over one end of a `MessageChannel`: windows, frames, workers, worker threads.
 *
 * A worker that is terminated from outside says no goodbye; there, calls end by their timeout.
 */
export function messagePortTransport(port: MessagePortLike): Transport {
  let events: TransportEvents | undefined
  let closed = false

  function end(info: CloseInfo): void {
    if (closed) return
    closed = true
    port.close()
    // As with a socket, the end is told after the call that brought it about has returned.
    queueMicrotask(() => events?.close(info))
  }

  function close(code: number, reason: string): void {
    if (closed) return
    port.postMessage({ flashrpc: 'close', code, reason } satisfies Goodbye)
    end({ code, reason })
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

  return {
    reliable: true,
    start(channelEvents) {
      events = channelEvents
      port.addEventListener('message', ({ data }: { data: unknown }) => {
        if (isGoodbye(data)) end({ code: data.code, reason: data.reason })
        else if (Array.isArray(data)) for (const frame of data) take(frame)
        else take(data)
      })
      port.addEventListener('close', () => end({ code: 1006, reason: 'The port was closed' }))
      port.addEventListener('messageerror', () =>
        close(1003, 'A message on the port could not be read'),
      )
      port.start?.()
    },
    send: (frame) => post(carried(frame)),
    // Each thing that is posted wakes the other side. What `map` gives is cloned as an array with holes, one by one.
    sendTogether: (frames) => post(Array.from(frames, carried)),
    close: (code = 1000, reason = '') => close(code, reason),
  }
}

/** What is carried is a copy: of all the memory that bytes are a part of. */
function carried(frame: Frame): Frame {
  const isWhole = typeof frame === 'string' || frame.byteLength === frame.buffer.byteLength
  return isWhole ? frame : new Uint8Array(frame)
}

function isGoodbye(data: unknown): data is Goodbye {
  if (typeof data !== 'object' || data === null) return false
  const { flashrpc, code, reason } = data as Partial<Goodbye>
  return flashrpc === 'close' && typeof code === 'number' && typeof reason === 'string'
}
