import { openSync, writeSync } from 'node:fs'
import { createEndpoint, type EndpointOptions } from '@flashrpc/core/server'

/** What the server of a process can be called for. */
export interface Ledgered {
  /** Writes its id down, and answers it after so many ms. */
  run(params: { id: number; ms?: number }): number
}

/** A server in a process of its own: its handler writes down what it runs, before it answers. */

const { file, options } = JSON.parse(process.argv[2] ?? '{}') as {
  file: string
  options: Partial<EndpointOptions<Ledgered, Record<never, never>>>
}
const ledger = openSync(file, 'a')
const endpoint = createEndpoint<Ledgered>({
  ...options,
  // Faults are what it is for; its parent looks at everything else that it prints.
  logger: false,
  methods: {
    run: ({ id, ms = 0 }, { channel }) => {
      writeSync(ledger, `${channel.id} ${id}\n`)
      return ms === 0 ? id : new Promise((resolve) => setTimeout(() => resolve(id), ms))
    },
  },
})
const { port } = await endpoint.listen()
process.send?.(port)
process.on('message', () => process.send?.(endpoint.channels.size))
process.on('SIGTERM', () => void endpoint.close({ drain: 5_000 }).then(() => process.exit(0)))
