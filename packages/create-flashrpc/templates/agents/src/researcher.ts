import { setTimeout as wait } from 'node:timers/promises'
import { createClient } from '@flashrpc/core'
import { contract } from './contract.ts'

/** An agent that finds out. Put your own work in place of its loop. */
export function connectResearcher(url: string, log: (line: string) => void) {
  return createClient(contract, {
    url,
    onConnect: [({ other }) => other.join({ role: 'researcher' })],
    methods: {
      announce: ({ text }) => log(text),
      async *research({ topic }, { channel, signal }) {
        await channel.other.note({ role: 'researcher', text: `looks for ${topic}` })
        for (const source of ['a book', 'a paper', 'a letter']) {
          // `signal` aborts when the orchestrator does not wait any more.
          await wait(200, undefined, { signal })
          yield `${source} on ${topic}`
        }
      },
    },
  })
}
