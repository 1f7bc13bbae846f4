import type { Transport } from './transport.js'

/** A transport in place of one that could not be made of another: it fails as soon as it is to start. */
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
