import type { Transport } from '@flashrpc/core'

/**
 * Adds a listener for the end of a transport over a port.
 *
 * @param ended called once, also if the transport is closed before it was started.
 */
export function whenEnded(transport: Transport, ended: () => void): Transport {
  let started = false
  const start = transport.start.bind(transport)
  const close = transport.close.bind(transport)
  // In place: a copy of its members would not be the library's own transport, which sends faster.
  return Object.assign(transport, {
    start(events) {
      started = true
      start({
        frame: (frame) => events.frame(frame),
        close(info) {
          ended()
          events.close(info)
        },
      })
    },
    close(code, reason) {
      close(code, reason)
      if (!started) ended()
    },
  } satisfies Partial<Transport>)
}
