import type { IncomingMessage } from 'node:http'
import { createEndpoint, RejectUpgrade } from '@flashrpc/core/server'
import { contract } from './contract.js'

const users = new Map([
  ['Bearer ada-1', { name: 'Ada', isAdmin: false }],
  ['Bearer grace-1', { name: 'Grace', isAdmin: true }],
])

const endpoint = createEndpoint(contract, {
  // Before there is a connection: what it returns is `identity` in every handler.
  authenticate: (request: IncomingMessage) => {
    const { authorization } = request.headers
    if (authorization === 'Bearer mallory-1') throw new RejectUpgrade(403, 'You have been banned')
    const user = users.get(authorization ?? '')
    if (!user) throw new RejectUpgrade(401, 'Log in first')
    return user
  },
  // Before each call.
  authorize: (method, { identity }) => method !== 'wipe' || identity.isAdmin,
  methods: {
    whoAmI: (_, { identity }) => identity.name,
    wipe: ({ disk }, { identity }) => `${identity.name} wiped ${disk}`,
  },
  onReject: [(_, { status, message }) => console.log(`refused: ${status} ${message}`)],
})

const { url } = await endpoint.listen({ port: Number(process.env.PORT ?? 8000), path: '/ws' })
console.log(`listening on ${url}`)
