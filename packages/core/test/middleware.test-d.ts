import {
  createChannel,
  createClient,
  defineContract,
  type HandlerContext,
  type Middleware,
  type MiddlewareCall,
  memoryTransportPair,
  method,
} from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { expectTypeOf } from 'vitest'

/** Checked by `tsc`; never run. */

const contract = defineContract({ server: { whoAmI: method() } })
interface User {
  userId: string
}
const anybody: Middleware = (_, next) => next()
const ofUsers: Middleware<User> = (call, next) => {
  expectTypeOf(call.identity).toEqualTypeOf<User>()
  return next()
}

// ── One, or several ───────────────────────────────────────────────────────────────────────────────

createClient(contract, { url: 'ws://127.0.0.1', use: anybody })
createClient(contract, {
  url: 'ws://127.0.0.1',
  use: [anybody, async (_, next) => next()] as const,
})
// @ts-expect-error: no function
createClient(contract, { url: 'ws://127.0.0.1', use: 'log' })
// @ts-expect-error: a client does not know who its server is
createClient(contract, { url: 'ws://127.0.0.1', use: ofUsers })

// ── Who calls ─────────────────────────────────────────────────────────────────────────────────────

createEndpoint(contract, {
  authenticate: async (): Promise<User> => ({ userId: 'ada' }),
  use: [
    anybody,
    ofUsers,
    async (call, next) => {
      expectTypeOf(call).toEqualTypeOf<MiddlewareCall<User>>()
      expectTypeOf(call.direction).toEqualTypeOf<'in' | 'out'>()
      expectTypeOf(call.parent).toEqualTypeOf<MiddlewareCall | undefined>()
      expectTypeOf(next).toEqualTypeOf<() => Promise<unknown>>()
      return next()
    },
  ],
  methods: {
    whoAmI: (_, { identity, meta }) => {
      expectTypeOf(identity).toEqualTypeOf<User>()
      expectTypeOf(meta).toEqualTypeOf<Readonly<Record<string, string>>>()
      return identity.userId
    },
  },
})

createEndpoint(contract, {
  authenticate: async (request): Promise<User> => ({ userId: String(request.headers['x-user']) }),
  use: [anybody, ofUsers],
  methods: { whoAmI: (_, { identity }) => expectTypeOf(identity).toEqualTypeOf<User>() },
})

const [transport] = memoryTransportPair()
createChannel(contract, {
  side: 'server',
  transport,
  identity: { userId: 'ada' },
  use: ofUsers,
  methods: {},
})
createChannel(contract, {
  side: 'server',
  transport,
  identity: 5,
  // @ts-expect-error: of others
  use: ofUsers,
})

// What everybody's middleware knows of an identity says nothing of whose it is.
expectTypeOf(
  createChannel(contract, { side: 'server', transport, use: [anybody] }).identity,
).toEqualTypeOf<undefined>()

// ── What travels ──────────────────────────────────────────────────────────────────────────────────

declare const call: MiddlewareCall
call.meta.requestId = 'a1'
// @ts-expect-error: texts only
call.meta.count = 1
// @ts-expect-error: a handler reads it
const write = ({ meta }: HandlerContext) => (meta.requestId = 'a1')
void write
