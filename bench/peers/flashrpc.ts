import type { EndpointOptions } from '@flashrpc/core/server'
import type { Build } from '../builds.ts'
import { contractOf } from '../contract.ts'
import type { Peer } from '../peer.ts'

type Contract = ReturnType<typeof contractOf>
type Options = Partial<EndpointOptions<Contract['server'], Contract['client']>>

/** With every default: validation both ways, heartbeat, limits, a timeout for each call. */
export function flashrpc(build: Build, options: Options = {}): Peer {
  return {
    async serve() {
      const { createEndpoint } = await build.server()
      const endpoint = createEndpoint(contractOf(await build.core()), {
        ...options,
        methods: {
          add: ({ a, b }) => a + b,
          echo: (given) => given,
          bytes: ({ value }) => value,
        },
      })
      const { port } = await endpoint.listen()
      return {
        port,
        callAll: async (n) => {
          const calls = [...endpoint.channels].map((channel) => channel.other.double({ n }))
          return Promise.all(calls)
        },
        noteAll: (note) => endpoint.all.notify('note', note),
      }
    },
    async connect(port, page) {
      const core = await build.core()
      const client = core.createClient(contractOf(core), {
        url: `ws://127.0.0.1:${port}`,
        ...(options.limits && { limits: options.limits }),
        methods: { double: ({ n }) => page.double(n), note: (note) => page.noted(note) },
      })
      await client.connect()
      return {
        add: (a, b) => client.other.add({ a, b }),
        echo: (given) => client.other.echo(given as Record<string, unknown>),
        bytes: (bytes) => client.other.bytes({ value: bytes as Uint8Array<ArrayBuffer> }),
      }
    },
  }
}
