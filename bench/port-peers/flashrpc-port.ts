import type { Build } from '../builds.ts'
import { contractOf } from '../contract.ts'
import type { PortPeer } from '../peer.ts'

/** With every default. */
export async function flashrpcPort(build: Build): Promise<PortPeer> {
  const core = await build.core()
  const { createChannel, messagePortTransport } = core
  const contract = contractOf(core)
  return {
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
}
