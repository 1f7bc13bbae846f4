import { createEndpoint } from '@flashrpc/core/server'
import { contract } from './contract.js'

// A server knows nothing of proxies.
const endpoint = createEndpoint(contract, {
  methods: { greet: ({ name }) => `Hello, ${name}!` },
})

const { url } = await endpoint.listen({ port: Number(process.env.PORT ?? 8000), path: '/ws' })
console.log(`listening on ${url}`)
