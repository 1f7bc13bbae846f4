import { type Client, createClient, defineContract, method, stream, under } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { z } from 'zod'

/** Methods in groups. */

const Id = z.object({ id: z.string() })
const contract = defineContract({
  server: {
    users: {
      get: method({ params: Id, result: z.object({ name: z.string() }) }),
      watch: stream({ params: Id, item: z.number() }),
      admin: { remove: method({ params: Id, result: z.boolean() }) },
    },
  },
  client: { page: { ask: method({ params: Id, result: z.enum(['yes', 'no']) }) } },
})

const client: Client<typeof contract.client, typeof contract.server> = createClient(contract, {
  url: 'ws://127.0.0.1:8000',
  use: under('users.admin', (_, next) => next()),
  methods: { page: { ask: ({ id }) => (id.length > 0 ? 'yes' : 'no') } },
})

export async function calls(): Promise<void> {
  const { name } = await client.other.users.get({ id: '1' })
  const removed: boolean = await client.call('users.admin.remove', { id: name })
  for await (const n of client.other.users.watch({ id: '1' })) console.log(n.toFixed(), removed)
  // @ts-expect-error id is missing
  await client.other.users.get({})
  // @ts-expect-error there is no such path
  await client.call('users.remove', { id: '1' })
}

export const endpoint = createEndpoint(contract, {
  authenticate: async ({ url }) => ({ path: url ?? '' }),
  methods: {
    users: {
      get: ({ id }, { identity }) => ({ name: identity.path.concat(id) }),
      watch: async function* ({ id }) {
        yield id.length
      },
      admin: {
        remove: async ({ id }, { channel }) => (await channel.other.page.ask({ id })) === 'yes',
      },
    },
  },
})

export const later = createEndpoint(contract, { authenticate: async () => ({ path: '' }) })

async function askAll(id: string) {
  const [first] = await later.all.call('page.ask', { id })
  return first?.status === 'ok' && first.value === 'yes'
}

later.implement('users.admin', { remove: ({ id }) => askAll(id) })
later.implement('users.get', ({ id }, { identity }) => ({ name: identity.path.concat(id) }))
