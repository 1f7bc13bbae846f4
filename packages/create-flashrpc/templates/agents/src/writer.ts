import { createClient } from '@flashrpc/core'
import { contract } from './contract.ts'

/** An agent that writes. Put your own work in place of its last line. */
export function connectWriter(url: string, log: (line: string) => void) {
  return createClient(contract, {
    url,
    onConnect: [({ other }) => other.join({ role: 'writer' })],
    methods: {
      announce: ({ text }) => log(text),
      async write({ topic, findings }, { channel, signal }) {
        // The orchestrator waits for this agent, and this agent for its answer.
        const question = `How long a text on ${topic}?`
        const length = await channel.other.clarify({ question }, { signal })
        return `In ${length}: ${findings.join(', ')}.`
      },
    },
  })
}
