import { createEndpoint } from '@flashrpc/core/server'
import { contract } from './contract.ts'

/** Starts the server. Port 0 is any free port. */
export async function startServer(port: number) {
  const endpoint = createEndpoint(contract, {
    methods: {
      add: ({ a, b }) => a + b,
      async deploy({ version }, { channel }) {
        // `deploy` runs until the client has answered.
        const answer = await channel.other.confirm({ text: `Deploy ${version}?` })
        return answer === 'yes' ? `${version} is deployed` : `${version} is not deployed`
      },
      say: ({ text }) => void endpoint.all.notify('notify', { text }),
    },
    onConnect: [({ other }) => other.notify({ text: 'Welcome!' })],
  })
  const { url } = await endpoint.listen({ port, path: '/ws' })
  return { endpoint, url }
}
