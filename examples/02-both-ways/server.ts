import { createEndpoint } from '@flashrpc/core/server'
import { contract } from './contract.js'

const endpoint = createEndpoint(contract, {
  methods: {
    // A nested call: the client waits for deploy, and deploy waits for the client's answer.
    async deploy({ version }, { channel }) {
      const answer = await channel.other.confirm({ text: `Deploy ${version}?` })
      if (answer === 'no') return 'cancelled'
      await channel.other.notify({ text: `deploying ${version} …` })
      return 'deployed'
    },
  },
  onConnect: [(channel) => channel.other.notify({ text: 'Welcome!' })],
})

const { url } = await endpoint.listen({ port: Number(process.env.PORT ?? 8000), path: '/ws' })
console.log(`listening on ${url}`)
