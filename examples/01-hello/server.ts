import { createEndpoint } from '@flashrpc/core/server'
import { contract } from './contract.js'

const endpoint = createEndpoint(contract, {
  methods: {
    hello: ({ name }) => `Hello, ${name}!`,
    add: ({ a, b }) => a + b,
  },
})

const { url } = await endpoint.listen({ port: Number(process.env.PORT ?? 8000), path: '/ws' })
console.log(`listening on ${url}`)
