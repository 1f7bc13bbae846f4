import { setTimeout as wait } from 'node:timers/promises'
import { createEndpoint } from '@flashrpc/core/server'
import { contract } from './contract.ts'

export const endpoint = createEndpoint(contract, {
  methods: {
    async deploy({ version }, { channel }) {
      // `deploy` runs until someone has answered on the page.
      const answer = await channel.other.confirm(
        { text: `Deploy ${version}?` },
        { timeout: 60_000 },
      )
      return answer === 'yes' ? `${version} is deployed` : `${version} is not deployed`
    },
    say: ({ text }) => void endpoint.all.notify('notify', { text }),
    async *clock(_, { signal }) {
      for (;;) {
        yield new Date().toLocaleTimeString()
        // `signal` aborts when no page reads the stream any more.
        await wait(1_000, undefined, { signal })
      }
    },
  },
  // The pages that may connect: those that Next serves.
  allowedOrigins: [process.env.PAGE_ORIGIN ?? 'http://localhost:3000'],
  onConnect: [({ other }) => other.notify({ text: 'Welcome!' })],
})
