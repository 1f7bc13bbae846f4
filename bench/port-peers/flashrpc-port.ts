import { createChannel, defineContract, messagePortTransport, method } from '@flashrpc/core'
import { z } from 'zod'
import type { PortPeer } from '../peer.ts'

const value = z.record(z.string(), z.unknown())

const contract = defineContract({
  server: {
    add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    echo: method({ params: value, result: value }),
    bytes: method({
      params: z.object({ value: z.instanceof(Uint8Array) }),
      result: z.instanceof(Uint8Array),
    }),
  },
})

/** With every default. */
export const flashrpcPort: PortPeer = {
  serve(port) {
    createChannel(contract, {
      side: 'server',
      transport: messagePortTransport(port),
      methods: { add: ({ a, b }) => a + b, echo: (given) => given, bytes: ({ value }) => value },
    })
  },
  async connect(port) {
    const { other } = createChannel(contract, {
      side: 'client',
      transport: messagePortTransport(port),
    })
    // What is called before the handshake is over waits for it.
    await other.add({ a: 1, b: 1 })
    return {
      add: (a, b) => other.add({ a, b }),
      echo: (given) => other.echo(given as Record<string, unknown>),
      bytes: (bytes) => other.bytes({ value: bytes as Uint8Array<ArrayBuffer> }),
    }
  },
}
