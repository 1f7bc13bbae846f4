import type { Transport } from './transport.js'

/** Takes the place of a transport that could not be made: it fails when it is started. */
export function failedTransport(transport: Transport, thrown: unknown): Transport {
  return {
    reliable: transport.reliable,
    start: () => {
      throw thrown
    },
    send: () => false,
    close: (code, reason) => transport.close(code, reason),
  }
}
