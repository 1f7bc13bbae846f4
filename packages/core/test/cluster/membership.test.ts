import {
  type Cluster,
  type ClusterEndpoint,
  type ClusterEngine,
  type ClusterEvent,
  createCluster,
  memoryEngines,
} from '@flashrpc/core/cluster'
import { createEndpoint } from '@flashrpc/core/server'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ClusterNode } from '../../src/cluster/cluster-node.js'
import { Interest } from '../../src/cluster/interest.js'
import type { NodeRecord } from '../../src/cluster/node-record.js'
import { topicOf } from '../../src/cluster/topics.js'
import { clusterSeeds, forSeeds } from '../support/cluster-seeds.js'
import { SeededNetwork } from '../support/seeded-network.js'
import { beginVirtualTime, pass } from '../support/virtual-cluster.js'

const HOST = { codec: 'json', frames: 'text', maxMessageBytes: 1024 * 1024, logger: false } as const

beforeEach(() => {
  beginVirtualTime()
})
const running: ClusterNode[] = []
afterEach(async () => {
  const stopped = Promise.all(running.splice(0).map((node) => node.stop()))
  await pass(1_000)
  await stopped
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

interface Member {
  readonly node: ClusterNode
  readonly interest: Interest
  readonly gone: [id: string, epoch: number, why: string][]
}

async function members(
  network: SeededNetwork,
  count: number,
  options: Partial<ClusterNode['options']> = {},
): Promise<Member[]> {
  const all = Array.from({ length: count }, (_, at): Member => {
    const node = new ClusterNode({
      engine: network.engine(),
      app: 'test',
      name: `node ${at}`,
      graceMs: 1_000,
      outageMs: 5_000,
      ...options,
    })
    const gone: Member['gone'] = []
    node.watch({ gone: ({ id, epoch }, why) => gone.push([id, epoch, why]) })
    running.push(node)
    const interest = new Interest(node)
    void node.start(HOST)
    return { node, interest, gone }
  })
  await pass(2_000)
  return all
}

const known = ({ node }: Member) => [...node.directory.all].map(({ id }) => id).sort()
const record = ({ node }: Member, { node: other }: Member) =>
  node.directory.get(other.id) as NodeRecord
const others = (all: Member[], left: Member) =>
  all
    .filter((one) => one !== left)
    .map(({ node }) => node.id)
    .sort()
const expected = ({ node }: Member, group: string) =>
  node.directory.expected(topicOf(group)).map(({ id }) => id)

describe('nodes find each other', () => {
  test('all know all, by name, before they are ready', async () => {
    const all = await members(new SeededNetwork(1, { delayMs: [0, 20] }), 5)
    for (const one of all) {
      expect(one.node.state).toBe('up')
      expect(known(one)).toStrictEqual(others(all, one))
      for (const other of all) {
        if (other === one) continue
        expect(record(one, other)).toMatchObject({ name: other.node.options.name, isInStep: true })
      }
    }
  })

  test('a node that comes later learns what the others have announced', async () => {
    const network = new SeededNetwork(2, { delayMs: [0, 10] })
    const first = (await members(network, 1))[0] as Member
    for (let at = 0; at < 300; at++) first.interest.first(`group ${at}`)
    await pass(200)
    const late = (await members(network, 1))[0] as Member
    expect(record(late, first)).toMatchObject({ topics: 300, isInStep: true })
    for (let at = 0; at < 300; at++) {
      expect(expected(late, `group ${at}`)).toStrictEqual([first.node.id])
    }
    expect(expected(late, 'another group')).toStrictEqual([])
  })

  test('a group without members is forgotten after 10 s, and not before', async () => {
    const [a, b] = (await members(new SeededNetwork(3), 2)) as [Member, Member]
    a.interest.first('room')
    await pass(50)
    a.interest.last('room')
    await pass(9_000)
    expect(expected(b, 'room')).toStrictEqual([a.node.id])
    a.interest.first('room')
    a.interest.last('room')
    await pass(9_500)
    expect(expected(b, 'room')).toStrictEqual([a.node.id])
    await pass(1_000)
    expect(expected(b, 'room')).toStrictEqual([])
    expect(record(b, a)).toMatchObject({ topics: 0, isInStep: true })
  })
})

describe('faults of membership', () => {
  test('12: lost announcements are noticed, and asked for', async () => {
    await forSeeds(clusterSeeds(20), async (seed) => {
      const network = new SeededNetwork(seed, { delayMs: [0, 15] })
      const all = await members(network, 3)
      network.faults = { ...network.faults, drop: 0.3, duplicate: 0.2 }
      const [a] = all as [Member]
      for (let at = 0; at < 30; at++) {
        a.interest.first(`group ${at}`)
        await pass((seed % 20) + at)
      }
      network.faults = { delayMs: [0, 15] }
      await pass(4_000)
      expect(network.counts.dropped).toBeGreaterThan(0)
      for (const one of all.slice(1)) {
        expect(record(one, a)).toMatchObject({ topics: 30, isInStep: true })
      }
      await Promise.all([Promise.all(running.splice(0).map((node) => node.stop())), pass(1_000)])
    })
  })

  test('a node that says goodbye takes no new calls, and is gone when it stops', async () => {
    const [a, b] = (await members(new SeededNetwork(4), 2)) as [Member, Member]
    b.interest.first('room')
    await pass(100)
    b.node.retire()
    await pass(10)
    expect(expected(a, 'room')).toStrictEqual([])
    expect(a.node.nodes).toMatchObject([{ isHere: true }, { state: 'leaving' }])
    expect(a.gone).toStrictEqual([])
    const stopped = b.node.stop()
    await pass(10)
    await stopped
    expect(a.gone).toStrictEqual([[b.node.id, 1, 'left']])
    expect(known(a)).toStrictEqual([])
  })

  test.each([
    [1_000, 1_000],
    [300, 300],
    [0, 0],
  ])('a dead node that owes something is given up after the grace of %i ms', async (graceMs) => {
    const network = new SeededNetwork(5, { delayMs: [0, 5] })
    const [a, b] = (await members(network, 2, { graceMs })) as [Member, Member]
    a.node.failureDetector.owes(record(a, b))
    network.cutOff(b.node.options.engine)
    const killedAt = performance.now()
    while (a.gone.length === 0) await pass(1)
    const took = performance.now() - killedAt
    expect(took).toBeGreaterThanOrEqual(graceMs)
    expect(took).toBeLessThanOrEqual(graceMs + 200)
    expect(a.gone).toStrictEqual([[b.node.id, 1, 'dead']])
  })

  test('a dead node that owes nothing is given up within 3 s', async () => {
    const network = new SeededNetwork(6)
    const [a, b] = (await members(network, 2)) as [Member, Member]
    network.cutOff(b.node.options.engine)
    await pass(3_000)
    expect(a.gone).toStrictEqual([[b.node.id, 1, 'dead']])
  })

  test('5: a node that stands still for 2.5 s is not given up', async () => {
    const network = new SeededNetwork(7)
    const [a, b] = (await members(network, 2)) as [Member, Member]
    a.node.failureDetector.owes(record(a, b))
    network.stop(b.node.options.engine)
    await pass(2_500)
    network.continue(b.node.options.engine)
    await pass(10_000)
    expect(a.gone).toStrictEqual([])
    expect(b.node.epoch).toBe(1)
  })

  test('6: a node that stands still for 8 s is given up, learns it, and is used again in a new epoch', async () => {
    const network = new SeededNetwork(8)
    const [a, b] = (await members(network, 2)) as [Member, Member]
    b.interest.first('room')
    await pass(100)
    network.stop(b.node.options.engine)
    await pass(8_000)
    expect(a.gone).toStrictEqual([[b.node.id, 1, 'silent']])
    expect(a.node.directory.buriedLately).toStrictEqual([`${b.node.id}.1`])
    network.continue(b.node.options.engine)
    await pass(3_000)
    expect(b.node.epoch).toBe(2)
    expect(record(a, b)).toMatchObject({ epoch: 2, isInStep: true, topics: 1 })
    expect(expected(a, 'room')).toStrictEqual([b.node.id])
    expect(a.node.directory.buriedLately).toStrictEqual([])
  })

  test('7: a node that has the engine back much later than another one is not given up', async () => {
    const network = new SeededNetwork(16, { delayMs: [0, 5] })
    const all = await members(network, 3)
    const [a, b, c] = all as [Member, Member, Member]
    a.node.failureDetector.owes(record(a, b))
    b.node.failureDetector.owes(record(b, c))
    network.kill()
    await pass(2_000)
    for (const { node } of all) {
      void network.restore(node.options.engine)
      await pass(1_250)
    }
    // The engine is away again before the last one was heard of, and for a shorter time.
    network.kill()
    await pass(1_000)
    void network.restore(a.node.options.engine)
    await pass(100)
    network.cutOff(a.node.options.engine)
    await pass(100)
    void network.restore(a.node.options.engine)
    await pass(1_500)
    for (const { node } of [b, c]) void network.restore(node.options.engine)
    await pass(10_000)
    expect(all.map(({ gone }) => gone)).toStrictEqual([[], [], []])
    expect(all.map(({ node }) => node.epoch)).toStrictEqual([1, 1, 1])
  })

  test.each([
    [1_000, 500],
    [1_000, 3_000],
    [300, 2_000],
    [0, 2_000],
    [1_000, 60_000],
  ])(
    '7: a node that died while the engine was away is given up, too: grace of %i ms, away for %i ms',
    async (graceMs, awayMs) => {
      const network = new SeededNetwork(17, { delayMs: [0, 5] })
      const [a, b] = (await members(network, 2, { graceMs, outageMs: 60_000 })) as [Member, Member]
      network.kill()
      await pass(awayMs)
      void network.restore(a.node.options.engine)
      a.node.failureDetector.owes(record(a, b))
      const upAt = performance.now()
      while (a.gone.length === 0) await pass(1)
      const took = performance.now() - upAt
      // The node was heard of up to a second before the engine was lost; 5 s are the most.
      expect(took).toBeGreaterThanOrEqual(Math.min(graceMs + awayMs, 5_000))
      expect(took).toBeLessThanOrEqual(Math.min(graceMs + awayMs + 1_000, 5_000) + 200)
    },
  )

  test('7, 1: a node that dies once it is back is given up after the grace alone', async () => {
    const network = new SeededNetwork(18, { delayMs: [0, 5] })
    const [a, b] = (await members(network, 2)) as [Member, Member]
    network.kill()
    await pass(3_000)
    void network.start()
    await pass(50)
    a.node.failureDetector.owes(record(a, b))
    network.cutOff(b.node.options.engine)
    const killedAt = performance.now()
    while (a.gone.length === 0) await pass(1)
    const took = performance.now() - killedAt
    expect(took).toBeGreaterThanOrEqual(1_000)
    expect(took).toBeLessThanOrEqual(1_200)
  })

  test('8: without the engine for longer than outageMs, nobody is buried, and all heals by itself', async () => {
    const network = new SeededNetwork(9)
    const all = await members(network, 3, { outageMs: 2_000 })
    const outages = all.map(({ node }) => {
      let count = 0
      node.watch({ outage: () => count++ })
      return () => count
    })
    network.kill()
    expect(all.map(({ node }) => node.state)).toStrictEqual(['cut-off', 'cut-off', 'cut-off'])
    await pass(1_900)
    expect(outages.map((count) => count())).toStrictEqual([0, 0, 0])
    await pass(20_000)
    expect(outages.map((count) => count())).toStrictEqual([1, 1, 1])
    ;(all[0] as Member).interest.first('while it was away')
    void network.start()
    await pass(3_000)
    for (const one of all) {
      expect(one.node.state).toBe('up')
      expect(one.node.epoch).toBe(2)
      expect(one.gone.map(([, , why]) => why)).toStrictEqual(['renewed', 'renewed'])
      expect(known(one)).toStrictEqual(others(all, one))
    }
    expect(expected(all[1] as Member, 'while it was away')).toStrictEqual([
      (all[0] as Member).node.id,
    ])
  })

  test('9: a node that was cut off is buried by the others, and comes back one epoch later, without ghosts', async () => {
    const network = new SeededNetwork(10, { delayMs: [0, 5] })
    const all = await members(network, 3)
    const [a, b, c] = all as [Member, Member, Member]
    network.cutOff(c.node.options.engine)
    await pass(8_000)
    expect(c.node.state).toBe('cut-off')
    expect([a, b, c].map(({ gone }) => gone)).toStrictEqual([
      [[c.node.id, 1, 'dead']],
      [[c.node.id, 1, 'dead']],
      [],
    ])
    void network.restore(c.node.options.engine)
    await pass(3_000)
    expect(c.node.epoch).toBe(2)
    for (const one of all) expect(known(one)).toStrictEqual(others(all, one))
    expect(record(a, c).epoch).toBe(2)
    expect(record(c, a).epoch).toBe(1)
  })

  test('10: a node that hears nothing of another buries it; that one counts up, and the third follows', async () => {
    const network = new SeededNetwork(11)
    const [a, b, c] = (await members(network, 3)) as [Member, Member, Member]
    network.cut(b.node.options.engine, a.node.options.engine)
    // What a says is still heard: it names whom it has buried.
    await pass(7_000)
    expect(a.gone.map(([id]) => id)).toContain(b.node.id)
    b.node.buried(1)
    await pass(100)
    expect(c.gone).toStrictEqual([[b.node.id, 1, 'renewed']])
    expect(record(c, b)).toMatchObject({ epoch: 2 })
    network.heal()
    await pass(3_000)
    expect(record(a, b)).toMatchObject({ epoch: 2, isInStep: true })
  })

  test('21: a process that starts again is another node, also under the same name', async () => {
    const network = new SeededNetwork(12)
    const [a, b] = (await members(network, 2)) as [Member, Member]
    network.cutOff(b.node.options.engine)
    await pass(200)
    const [again] = (await members(network, 1, { name: b.node.options.name })) as [Member]
    await pass(3_000)
    expect(a.gone).toStrictEqual([[b.node.id, 1, 'dead']])
    expect(known(a)).toStrictEqual([again.node.id])
  })

  test('20: two versions of the envelope: the lowest that all know is written; without one, it is said', async () => {
    const network = new SeededNetwork(13)
    const [old] = (await members(network, 1, { versions: [1, 1] })) as [Member]
    const [both] = (await members(network, 1, { versions: [1, 2] })) as [Member]
    const [both2] = (await members(network, 1, { versions: [1, 2] })) as [Member]
    both.interest.first('room')
    await pass(100)
    expect(both.node.directory.commonVersion).toBe(1)
    expect(expected(old, 'room')).toStrictEqual([both.node.id])
    const stopped = old.node.stop()
    await pass(100)
    await stopped
    expect(both.node.directory.commonVersion).toBe(2)
    both.interest.first('another room')
    await pass(100)
    expect(expected(both2, 'another room')).toStrictEqual([both.node.id])
    const [young] = (await members(network, 1, { versions: [3, 4] })) as [Member]
    expect(record(both, young).isForeign).toBe(true)
    expect(record(young, both).isForeign).toBe(true)
    expect(both.node.directory.commonVersion).toBe(2)
    expect(both.node.directory.foreign).toHaveLength(1)
    expect(both.node.directory.expected('all').map(({ id }) => id)).toStrictEqual([both2.node.id])
  })

  test('20: what is larger than a payload goes in parts, and arrives whole', async () => {
    const network = new SeededNetwork(14, { delayMs: [0, 5] }, 8_192)
    const [a, b] = (await members(network, 2)) as [Member, Member]
    for (let at = 0; at < 5_000; at++) a.interest.first(`group ${at}`)
    await pass(500)
    expect(record(b, a)).toMatchObject({ topics: 5_000, isInStep: true })
  })
})

test('what comes of other nodes is checked: garbage changes nothing and harms nobody', async () => {
  const network = new SeededNetwork(15)
  const [a, b] = (await members(network, 2)) as [Member, Member]
  const { engine } = b.node.options
  const heads = [
    null,
    1,
    'x',
    [],
    {},
    { v: 1 },
    { v: [1, 1] },
    { v: [1, 1], s: -1 },
    { s: 1, on: 1 },
  ]
  for (const head of [...heads, { s: 1, on: 'AA', off: '' }, { epoch: 'x' }, { epoch: 2 ** 32 }]) {
    for (let kind = 0; kind < 40; kind++) {
      if (kind === 4) continue
      b.node.send(a.node.id, kind as never, head)
    }
  }
  for (const payload of ['', 'x'.repeat(22), '\u0001'.repeat(100)]) {
    engine.publish(a.node.subjects.everybody, new TextEncoder().encode(payload))
  }
  await pass(3_000)
  expect(a.node.dropped).toBeGreaterThan(0)
  expect(a.node.epoch).toBe(1)
  expect(record(a, b)).toMatchObject({ isLeaving: false, isInStep: true, epoch: 1 })
})

describe('createCluster', () => {
  const engine = memoryEngines()

  test('its options are checked', () => {
    const made = (options: object) => () =>
      createCluster({ engine: engine(), app: 'app', ...options })
    expect(made({ app: 'My App' })).toThrow('app must be 1 to 32 characters of a-z, 0-9 and "-"')
    expect(made({ app: 5 })).toThrow('It is a number')
    expect(made({ engine: {} })).toThrow('engine must be an engine')
    expect(made({ engine })).toThrow('It is a function: call it.')
    const [one, two] = [engine(), engine()]
    expect(made({ engine: { start: one.start, publish: one.publish } })).toThrow(
      'It has no subscribe()',
    )
    createCluster({ engine: two, app: 'app' })
    expect(made({ engine: two })).toThrow('another cluster has this engine')
    expect(made({ graceMs: -1 })).toThrow('graceMs must be a number of ms')
    expect(made({ name: 'x'.repeat(129) })).toThrow('At most 128 are allowed')
    expect(made({ apps: 1 })).toThrow('Did you mean "app"?')
    expect(() => createEndpoint({ cluster: {} as never, methods: {} })).toThrow(
      'cluster must be made by createCluster',
    )
  })

  test('it is ready once its endpoint has begun, tells of changes, and has one endpoint', async () => {
    const [one, two] = [1, 2].map((at) =>
      createCluster({ engine: engine(), app: 'app', name: `n${at}` }),
    ) as [ReturnType<typeof createCluster>, ReturnType<typeof createCluster>]
    await expect(one.ready()).rejects.toThrow('No endpoint has this cluster')
    const events: ClusterEvent[] = []
    one.subscribe((event) => events.push(event))
    const first = createEndpoint({ cluster: one, methods: {} })
    expect(() => createEndpoint({ cluster: one, methods: {} })).toThrow('Another endpoint has')
    expect(one.state).toBe('joining')
    await pass(1_600)
    await one.ready()
    const second = createEndpoint({ cluster: two, methods: {} })
    await pass(1_600)
    expect(one.nodes).toMatchObject([
      { node: one.node, name: 'n1', isHere: true, epoch: 1, state: 'up' },
      { node: two.node, name: 'n2', isHere: false, epoch: 1, state: 'up' },
    ])
    await Promise.all([second.close(), pass(100)])
    await Promise.all([first.close(), pass(100)])
    expect(two.state).toBe('left')
    expect(
      events.map((event) => (event.type === 'state' ? event.state : event.change)),
    ).toStrictEqual(['up', 'joined', 'changed', 'changed', 'left', 'left'])
  })

  /** A node whose engine can't be started, or carries too little. */
  async function unstarted(engine: ClusterEngine) {
    const cluster = createCluster({ engine, app: 'app' })
    const endpoint = createEndpoint<object, { ask(): number }>({
      cluster,
      methods: {},
      logger: false,
    })
    const ready = cluster.ready().catch((error: unknown) => error)
    await pass(100)
    return { cluster, endpoint, thrown: await ready }
  }

  test('20: an engine that carries too little is refused', async () => {
    const { cluster, endpoint, thrown } = await unstarted(memoryEngines({ maxPayload: 8_191 })())
    expect(thrown).toMatchObject({
      name: 'RpcConfigError',
      message:
        'The largest payload of the engine (memory) is 8191 bytes, and a cluster needs 8192. Raise its limit: max_payload of nats-server, maxPayload of memoryEngines',
    })
    expect(cluster.state).toBe('left')
    await endpoint.close()
  })

  test('a node whose engine could not be started says that it knows nothing of the others', async () => {
    const why = new Error('no such server')
    const engine = memoryEngines()()
    engine.start = () => Promise.reject(why)
    const { cluster, endpoint, thrown } = await unstarted(engine)
    expect(thrown).toBe(why)
    expect(cluster.state).toBe('left')
    const unreached = [{ status: 'unreached', node: cluster.node, error: { outcome: 'not-sent' } }]
    expect(await endpoint.group('room').count()).toMatchObject({ count: 0, unreached })
    expect(await endpoint.all.members()).toMatchObject({ members: [], unreached })
    expect(await endpoint.all.call('ask')).toMatchObject(unreached)
    for await (const outcome of endpoint.all.each('ask'))
      expect(outcome).toMatchObject(unreached[0] ?? {})
    const watch = endpoint.all.watch()
    expect((await watch.next()).value).toMatchObject({ type: 'state', members: [], unreached })
    await watch.return()
    await endpoint.close()
  })

  test('a node that was closed names the nodes that it can not ask any more', async () => {
    const engines = memoryEngines()
    const [one, two] = [1, 2].map(() => createCluster({ engine: engines(), app: 'app' })) as [
      Cluster,
      Cluster,
    ]
    const [first, second] = [one, two].map((cluster) =>
      createEndpoint<object, { ask(): number }>({ cluster, methods: {}, logger: false }),
    ) as [ClusterEndpoint<object, { ask(): number }>, ClusterEndpoint<object, { ask(): number }>]
    await pass(1_600)
    await Promise.all([first.close(), pass(100)])
    const unreached = [{ status: 'unreached', node: two.node, error: { outcome: 'not-sent' } }]
    expect(await first.all.call('ask')).toMatchObject(unreached)
    expect(await first.all.count()).toMatchObject({ count: 0, unreached })
    await Promise.all([second.close(), pass(100)])
  })
})
