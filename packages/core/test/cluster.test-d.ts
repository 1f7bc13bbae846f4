import { defineContract, method, notification, type RpcError, stream } from '@flashrpc/core'
import {
  type Cluster,
  type ClusterAudience,
  type ClusterOutcome,
  createCluster,
  type Member,
  memoryEngines,
  type PresenceEvent,
  type RemoteChannel,
  type Unreached,
} from '@flashrpc/core/cluster'
import { sessions, streams } from '@flashrpc/core/features'
import { createEndpoint as createLiteEndpoint } from '@flashrpc/core/lite/server'
import { createEndpoint, type ServerChannel } from '@flashrpc/core/server'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'

/** Checked by `tsc`; never run. */

const contract = defineContract({
  server: {},
  client: {
    confirm: method({ params: z.object({ text: z.string() }), result: z.boolean() }),
    show: notification({ params: z.object({ text: z.string() }) }),
    rows: stream({ item: z.number() }),
  },
})
type Server = typeof contract.server
type Page = typeof contract.client
type User = { id: string }
type OwnChannel = ServerChannel<Server, Page, User>

const cluster = createCluster({ engine: memoryEngines()(), app: 'app' })
expectTypeOf(cluster).toEqualTypeOf<Cluster>()
const endpoint = createEndpoint(contract, {
  authenticate: (): User => ({ id: 'a' }),
  cluster,
  methods: {},
})

// ── Audiences are over nodes where there is a cluster, and as before without one ─────────────────

expectTypeOf(endpoint.all).toEqualTypeOf<ClusterAudience<Page, OwnChannel>>()
expectTypeOf(endpoint.group('a').except('id')).toEqualTypeOf<ClusterAudience<Page, OwnChannel>>()
expectTypeOf(endpoint.all.here.size).toEqualTypeOf<number>()
expectTypeOf([...endpoint.all.here]).toEqualTypeOf<OwnChannel[]>()
const alone = createEndpoint(contract, { methods: {} })
expectTypeOf(alone.all.size).toEqualTypeOf<number>()
// @ts-expect-error without a cluster, there is nothing beyond this node
alone.all.here
// @ts-expect-error how many there are at all nodes is not known at once
endpoint.all.size

// ── The same with the features that an endpoint is given ─────────────────────────────────────────

const lite = createLiteEndpoint(contract, {
  authenticate: (): User => ({ id: 'a' }),
  cluster,
  features: [streams(), sessions()],
  methods: {},
})
expectTypeOf(lite).toEqualTypeOf<typeof endpoint>()
expectTypeOf(lite.channel('id')).toEqualTypeOf<RemoteChannel<Page>>()
expectTypeOf(lite.all).toEqualTypeOf<ClusterAudience<Page, OwnChannel>>()
const liteAlone = createLiteEndpoint(contract, { features: [streams()], methods: {} })
expectTypeOf(liteAlone).toEqualTypeOf<typeof alone>()
// @ts-expect-error without a cluster, there are no clients of other nodes
liteAlone.channel('id')
const untyped = createEndpoint({ cluster, methods: {} })
const liteUntyped = createLiteEndpoint({ cluster, features: [], methods: {} })
expectTypeOf(liteUntyped).toEqualTypeOf<typeof untyped>()
expectTypeOf(liteUntyped.channel).toEqualTypeOf<typeof untyped.channel>()
// @ts-expect-error without a cluster, there are no clients of other nodes
createLiteEndpoint({ features: [], methods: {} }).channel('id')

// ── Calls ────────────────────────────────────────────────────────────────────────────────────────

expectTypeOf(endpoint.all.call('confirm', { text: '' })).toEqualTypeOf<
  Promise<ClusterOutcome<boolean, OwnChannel>[]>
>()
expectTypeOf(endpoint.all.notify('show', { text: '' })).toEqualTypeOf<
  Promise<{ here: number; elsewhere: 'published' | 'not-sent' }>
>()
// @ts-expect-error no such method
endpoint.all.call('confrm', { text: '' })
// @ts-expect-error a notification has no outcomes
endpoint.all.call('show', { text: '' })
// @ts-expect-error its params
endpoint.all.call('confirm', { text: 5 })
// @ts-expect-error a stream is of one channel
endpoint.all.call('rows')
endpoint.all.call('confirm', { text: '' }, { timeout: 5, signal: new AbortController().signal })

for (const outcome of await endpoint.all.call('confirm', { text: '' })) {
  expectTypeOf(outcome.node).toEqualTypeOf<string>()
  if (outcome.status === 'ok') {
    expectTypeOf(outcome.value).toEqualTypeOf<boolean>()
    expectTypeOf(outcome.channelId).toEqualTypeOf<string>()
  } else if (outcome.status === 'error') expectTypeOf(outcome.error).toEqualTypeOf<RpcError>()
  else
    expectTypeOf(outcome.error.outcome).toEqualTypeOf<
      'not-sent' | 'not-received' | 'maybe-executed'
    >()
}
for await (const outcome of endpoint.all.each('confirm', { text: '' })) {
  expectTypeOf(outcome).toEqualTypeOf<ClusterOutcome<boolean, OwnChannel>>()
}

// ── What is left out: channels of here and elsewhere, and ids ────────────────────────────────────

declare const channel: OwnChannel
declare const remote: RemoteChannel<Page>
endpoint.all.except(channel).except(remote).except(['id', channel, remote])
// @ts-expect-error not a channel
endpoint.all.except(5)

// ── Presence ─────────────────────────────────────────────────────────────────────────────────────

expectTypeOf(endpoint.group('a').members()).toEqualTypeOf<
  Promise<{ members: Member[]; unreached: Unreached[] }>
>()
expectTypeOf(endpoint.group('a').count()).toEqualTypeOf<
  Promise<{ count: number; unreached: Unreached[] }>
>()
for await (const event of endpoint.group('a').watch({ signal: new AbortController().signal })) {
  expectTypeOf(event).toEqualTypeOf<PresenceEvent>()
  if (event.type === 'state') expectTypeOf(event.members).toEqualTypeOf<readonly Member[]>()
  else
    expectTypeOf(event.why).toEqualTypeOf<'joined' | 'changed' | 'left' | 'ended' | 'node-lost'>()
}
channel.join('a', { info: { name: 'Ada' } })
// @ts-expect-error no such option
channel.join('a', { data: 5 })
