import { createEndpoint } from '@flashrpc/core/server'
import { codec } from './codec.js'
import { contract } from './contract.js'

const DAY_MS = 24 * 60 * 60 * 1000

const endpoint = createEndpoint(contract, {
  codec,
  methods: {
    postpone: ({ event, days }) => ({ ...event, at: new Date(event.at.getTime() + days * DAY_MS) }),
    archive: ({ log }) => log.split('\n').length,
  },
})

const { url } = await endpoint.listen({ port: Number(process.env.PORT ?? 8000), path: '/ws' })
console.log(`listening on ${url}`)
