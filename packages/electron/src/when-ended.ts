import type { Transport } from '@flashrpc/core'

/**
 * A transport that tells another listener too when it has ended.
 *
 * @param ended called once; also where it is closed before it was started.
 */
export function whenEnded(transport: Transport, ended: () => void): Transport {
  let started = false
  return {
    ...transport,
    start(events) {
      started = true
      transport.start({
        ...events,
        close(info) {
          ended()
          events.close(info)
        },
      })
    },
    close(code, reason) {
      transport.close(code, reason)
      if (!started) ended()
    },
  }
}
