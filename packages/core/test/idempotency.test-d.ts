import type { IncomingMessage } from 'node:http'
import {
  createEndpoint,
  type IdempotencyOptions,
  memoryResultStore,
  type ResultStore,
} from '@flashrpc/core/server'
import { expectTypeOf } from 'vitest'

/** Checked by `tsc`; never run. */

interface Server {
  ping(): string
}

const store = memoryResultStore({ ttlMs: 1_000, maxEntries: 10, maxBytes: 1_000 })
const methods = { ping: () => 'pong' }

expectTypeOf(store).toEqualTypeOf<ResultStore>()

createEndpoint<Server>({ idempotency: { store }, methods })
createEndpoint<Server>({ idempotency: { store, maxAnswerLength: 5, graceMs: 5 }, methods })

// Who they are is what `authenticate` made of the request.
createEndpoint<Server, Record<never, never>, { id: number }>({
  authenticate: (_: IncomingMessage) => ({ id: 7 }),
  idempotency: {
    store,
    scope: (identity) => {
      expectTypeOf(identity).toEqualTypeOf<{ id: number }>()
      return String(identity.id)
    },
  },
  methods,
})

// A store may answer at once, or later.
const later: ResultStore = {
  id: 'a',
  ttlMs: 1_000,
  begin: async () => ({ state: 'new' }),
  finish: async () => {},
}
void later

// @ts-expect-error: a store is required
createEndpoint<Server>({ idempotency: {}, methods })
// @ts-expect-error: there is no such state
const wrong: ResultStore = { ...later, begin: () => ({ state: 'lost' }) }
void wrong
// @ts-expect-error: a scope is text
const scoped: IdempotencyOptions<{ id: number }> = { store, scope: ({ id }) => id }
void scoped
