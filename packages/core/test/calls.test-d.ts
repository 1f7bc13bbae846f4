import {
  type Audience,
  type Client,
  createClient,
  createGroup,
  defineContract,
  method,
  notification,
  type ServerChannel,
  stream,
  type TargetOutcome,
} from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'

/** Checked by `tsc`; never run. */

const contract = defineContract({
  server: {
    report: method({
      params: z.object({ year: z.number() }),
      result: z.string(),
      progress: z.object({ at: z.coerce.date() }),
    }),
    upload: method({ input: z.string(), progress: z.number() }),
    silent: method({ result: z.number() }),
  },
  client: {
    confirm: method({ params: z.object({ text: z.string() }), result: z.enum(['yes', 'no']) }),
    tell: notification({ params: z.object({ text: z.string() }) }),
    items: stream({ item: z.number() }),
  },
})
type Server = typeof contract.server
type Page = typeof contract.client
declare const client: Client<Page, Server>

// ── Time ──────────────────────────────────────────────────────────────────────────────────────────

void client.other.silent(undefined, { timeout: 5 })
void client.other.silent(undefined, { timeout: { idle: 5 } })
void client.other.silent(undefined, { timeout: { idle: 5, total: Number.POSITIVE_INFINITY } })
// @ts-expect-error: no such limit
void client.other.silent(undefined, { timeout: { sum: 5 } })
// @ts-expect-error: no number
void client.other.silent(undefined, { timeout: '5 s' })
createClient(contract, { url: 'ws://localhost', timeout: { idle: 5 } })

// ── Progress ──────────────────────────────────────────────────────────────────────────────────────

void client.other.report(
  { year: 1 },
  {
    // What the schema makes.
    onProgress: ({ at }) => expectTypeOf(at).toEqualTypeOf<Date>(),
  },
)
void client.other.upload(undefined, {
  input: ['a'],
  onProgress: (value) => expectTypeOf(value).toEqualTypeOf<number>(),
})
// @ts-expect-error: it tells of none
void client.other.silent(undefined, { onProgress: () => {} })

const endpoint = createEndpoint(contract, {
  authenticate: () => ({ user: 'ada' }),
  methods: {
    report(_, { progress, timeLeft, signal }) {
      expectTypeOf(timeLeft).toEqualTypeOf<number>()
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
      // What the schema takes.
      progress({ at: '2026-01-01' })
      // @ts-expect-error: of another type
      progress(1)
      return 'done'
    },
    upload: (_, { progress }) => progress(1),
    silent(_, { progress }) {
      // @ts-expect-error: the contract has none
      progress(1)
      return 1
    },
  },
  onConnect: [
    (channel) => {
      channel.join(`user:${channel.identity.user}`)
      channel.leave('other')
      expectTypeOf(channel.groups).toEqualTypeOf<ReadonlySet<string>>()
    },
  ],
})

// ── Audiences ─────────────────────────────────────────────────────────────────────────────────────

type Channel = ServerChannel<Server, Page, { user: string }>
expectTypeOf(endpoint.all).toEqualTypeOf<Audience<Page, Channel>>()
expectTypeOf(endpoint.group('a')).toEqualTypeOf<Audience<Page, Channel>>()
expectTypeOf(endpoint.all.except('id').except(endpoint.all)).toEqualTypeOf<
  Audience<Page, Channel>
>()
for (const { identity } of endpoint.all) expectTypeOf(identity.user).toEqualTypeOf<string>()
expectTypeOf(endpoint.all.notify('tell', { text: 'a' })).toEqualTypeOf<Promise<number>>()
expectTypeOf(endpoint.all.call('confirm', { text: 'a' })).toEqualTypeOf<
  Promise<TargetOutcome<'yes' | 'no', Channel>[]>
>()
for await (const outcome of endpoint.all.each('confirm', { text: 'a' })) {
  if (outcome.status === 'ok') expectTypeOf(outcome.value).toEqualTypeOf<'yes' | 'no'>()
  else expectTypeOf(outcome.error.code).toEqualTypeOf<number>()
  expectTypeOf(outcome.channel.identity.user).toEqualTypeOf<string>()
}
// @ts-expect-error: a notification is not answered
void endpoint.all.call('tell', { text: 'a' })
// @ts-expect-error: a stream is none of many
void endpoint.all.call('items')
// @ts-expect-error: of another type
void endpoint.all.notify('tell', { text: 1 })
declare const channels: ReadonlySet<Channel>
expectTypeOf(createGroup<Page, Channel>(() => channels, 'a')).toEqualTypeOf<
  Audience<Page, Channel>
>()
