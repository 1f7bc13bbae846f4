import { createClient } from '@flashrpc/core'
import { type ClusterEngine, createCluster, memoryEngines } from '@flashrpc/core/cluster'
import { type ClusterEndpoint, createEndpoint, type ServerChannel } from '@flashrpc/core/server'
import { describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.js'
import { rejection } from '../support/rejection.js'

interface Server {
  whoami(params: object): string
  /** Asks the room, once the test lets it. */
  askRoom(params: object): number
}

interface Page {
  wait(params: object): string
}

type Finished = (end: () => Promise<void>) => void

/** A node of a cluster. Its clients are in the room. */
function startNode(finished: Finished, engine: ClusterEngine, resume?: object) {
  const cluster = createCluster({ engine, app: 'drain' })
  const asking: (() => void)[] = []
  const endpoint = createEndpoint<Server, Page>({
    cluster,
    logger: false,
    ...(resume && { resume }),
    methods: {
      whoami: (_, { channel }) => (channel as ServerChannel<Server, Page>).id,
      async askRoom() {
        await new Promise<void>((resolve) => asking.push(resolve))
        const outcomes = await endpoint.group('room').call('wait', {})
        return outcomes.filter(({ status }) => status === 'ok').length
      },
    },
    onConnect: [(channel) => channel.join('room')],
  }) as ClusterEndpoint<Server, Page>
  finished(() => endpoint.close())
  return { cluster, endpoint, asking }
}

/** Two nodes, and a client of the first. */
async function scene(finished: Finished, resume?: object) {
  const engine = memoryEngines()
  const near = startNode(finished, engine(), resume)
  const far = startNode(finished, engine(), resume)
  const [{ url }, { url: farUrl }] = await Promise.all([
    near.endpoint.listen(),
    far.endpoint.listen(),
  ])
  const { client, waiting } = connectTo(finished, url)
  const id = await client.call('whoami', {})
  const isLeaving = () =>
    eventually(() => expect(far.cluster.nodes[1]).toMatchObject({ state: 'leaving' }))
  return { near, far, farUrl, client, id, waiting, isLeaving }
}

/** A client whose answers wait to be released. */
function connectTo(finished: Finished, url: string) {
  const waiting: (() => void)[] = []
  const client = createClient<Server, Page>({
    url,
    logger: false,
    methods: { wait: () => new Promise((resolve) => waiting.push(() => resolve('waited'))) },
  })
  finished(() => client.close())
  return { client, waiting }
}

describe.concurrent('4: a node that is closed with time to drain', () => {
  test.for([
    ['with sessions', {}],
    ['without sessions', undefined],
  ] as const)(
    'lets its clients answer other nodes, and takes no more of their calls, %s',
    async ([, resume], { onTestFinished }) => {
      const { near, far, id, waiting, isLeaving } = await scene(onTestFinished, resume)
      const call = far.endpoint.channel(id).other.wait({})
      const groupCall = far.endpoint.group('room').call('wait', {})
      await eventually(() => expect(waiting).toHaveLength(2))
      const closed = near.endpoint.close({ drain: 60_000 })
      await isLeaving()
      expect(await rejection(far.endpoint.channel(id).other.wait({}))).toMatchObject({
        outcome: 'not-sent',
      })
      expect(await far.endpoint.group('room').call('wait', {})).toEqual([])
      for (const release of waiting) release()
      expect(await call).toBe('waited')
      expect(await groupCall).toMatchObject([{ status: 'ok', value: 'waited', channelId: id }])
      await closed
      expect(waiting).toHaveLength(2)
    },
  )

  test('waits no longer than that: what is open then may have run', async ({ onTestFinished }) => {
    const { near, far, id, waiting } = await scene(onTestFinished)
    const call = rejection(far.endpoint.channel(id).other.wait({}))
    const groupCall = far.endpoint.group('room').call('wait', {})
    await eventually(() => expect(waiting).toHaveLength(2))
    await near.endpoint.close({ drain: 50 })
    expect(await call).toMatchObject({ outcome: 'maybe-executed' })
    expect(await groupCall).toMatchObject([
      { status: 'error', error: { outcome: 'maybe-executed' } },
    ])
  })

  test('gets the outcomes of the calls that its handlers still make', async ({
    onTestFinished,
  }) => {
    const { near, far, farUrl, client, waiting: here, isLeaving } = await scene(onTestFinished)
    const { client: other, waiting: there } = connectTo(onTestFinished, farUrl)
    await other.connect()
    // Asked by the other node, so that it has no link to this one yet.
    await eventually(async () =>
      expect(await far.endpoint.group('room').count()).toMatchObject({ count: 2 }),
    )
    const asked = client.call('askRoom', {})
    await eventually(() => expect(near.asking).toHaveLength(1))
    const closed = near.endpoint.close({ drain: 60_000 })
    await isLeaving()
    near.asking[0]?.()
    await eventually(() => expect([here, there]).toMatchObject([{ length: 1 }, { length: 1 }]))
    for (const release of [...here, ...there]) release()
    expect(await asked).toBe(2)
    await closed
  })
})
