import { RpcDisconnectedError } from '@flashrpc/core'
import { describe, expect, test } from 'vitest'
import { Kind, readEnvelope } from '../../src/cluster/envelope.js'
import { bench } from '../support/cluster-bench.js'
import { clusterSeeds, forSeeds } from '../support/cluster-seeds.js'
import {
  inVirtualTime,
  pass,
  VirtualCluster,
  type VirtualNode,
} from '../support/virtual-cluster.js'

inVirtualTime()

/** How many seeds each property has here: 546 of all thirteen. */
const SEEDS = 42
let properties = 0
/** The seeds of one more property, which no other has. */
const nextSeeds = () => clusterSeeds(SEEDS, properties++ * SEEDS + 1)

describe('group calls, seed by seed', () => {
  test('14: joins and leaves race calls: in or out, and never called without an outcome', async () => {
    await forSeeds(nextSeeds(), async (seed) => {
      const all = await bench(seed, 3, 3)
      const { cluster, channels } = all
      for (let step = 0; step < 60; step++) {
        const channel = cluster.one(channels)
        if (cluster.random() < 0.5) channel.join('g')
        else channel.leave('g')
        if (cluster.random() < 0.4) all.call(cluster.one(cluster.nodes))
        await pass(cluster.below(30))
      }
      await pass(4_500)
      all.check(true)
      for (const { outcomes } of all.made) {
        expect(outcomes?.every(({ status }) => status === 'ok')).toBe(true)
      }
      await cluster.stop()
    })
  })

  test('14: a group gets members as its topic ends: what came by the last subscription is not run', async () => {
    await forSeeds(nextSeeds(), async (seed) => {
      const all = await bench(seed)
      const { cluster, channels } = all
      const [a] = cluster.nodes as [VirtualNode]
      cluster.network.faults = { delayMs: [0, 150] }
      for (const channel of channels) channel.leave('g')
      // A topic without members is kept for 10 s.
      await pass(9_850)
      for (let step = 0; step < 40; step++) {
        all.call(a)
        if (step === 30) for (const channel of channels) channel.join('g')
        await pass(5)
      }
      await pass(5_000)
      all.check(true)
      await cluster.stop()
    })
  })

  test('12, 13: messages are lost, or come twice: nothing hangs, nothing runs twice', async () => {
    await forSeeds(nextSeeds(), async (seed) => {
      const all = await bench(seed)
      const { cluster } = all
      cluster.network.faults = { delayMs: [0, 20], drop: 0.1, duplicate: 0.1 }
      for (let step = 0; step < 12; step++) {
        all.call(cluster.one(cluster.nodes))
        await pass(cluster.below(200))
      }
      await pass(5_000)
      expect(cluster.network.counts.dropped).toBeGreaterThan(0)
      cluster.network.faults = { delayMs: [0, 10] }
      await pass(8_000)
      all.check(false)
      await all.checkHealed()
      await cluster.stop()
    })
  })

  test('7, 11: the engine is killed, or one node is cut off, for a while: each once', async () => {
    await forSeeds(nextSeeds(), async (seed) => {
      const all = await bench(seed)
      const { cluster } = all
      const { network, nodes } = cluster
      for (let step = 0; step < 3; step++) {
        all.call(cluster.one(nodes))
        await pass(cluster.below(60))
        const victim = cluster.random() < 0.5 ? undefined : cluster.one(nodes)
        if (victim) network.cutOff(victim.engine)
        else network.kill()
        all.call(cluster.one(nodes))
        await pass(cluster.below(2_500))
        all.call(cluster.one(nodes))
        if (victim) void network.restore(victim.engine)
        else void network.start()
        await pass(cluster.below(100))
        all.call(cluster.one(nodes))
        await pass(6_000)
      }
      await pass(6_000)
      all.check(true)
      await all.checkHealed()
      await cluster.stop()
    })
  })

  test('7, 14: members come while the caller is without the engine: its first call after that finds them', async () => {
    await forSeeds(nextSeeds(), async (seed) => {
      const all = await bench(seed)
      const { cluster, channels } = all
      const { network } = cluster
      const caller = cluster.one(cluster.nodes)
      for (const channel of channels) channel.leave('g')
      // Longer than a topic without members is kept.
      await pass(11_000)
      network.cutOff(caller.engine)
      await pass(cluster.below(100))
      for (const channel of channels) channel.join('g')
      await pass(100 + cluster.below(100))
      const up = new Promise<void>((resolve) => caller.node.watch({ up: () => resolve() }))
      void network.restore(caller.engine)
      // At once, and while the others say which groups they have.
      void up.then(async () => {
        for (let times = 0; times < 5; times++) {
          all.call(caller)
          await new Promise((resolve) => setTimeout(resolve, cluster.below(10)))
        }
      })
      await pass(6_000)
      expect(all.made).toHaveLength(5)
      all.check(true)
      for (const { outcomes } of all.made) expect(outcomes).toHaveLength(channels.length)
      await cluster.stop()
    })
  })

  test('7, 14: the caller loses the engine as it calls, and as members come', async () => {
    await forSeeds(nextSeeds(), async (seed) => {
      for (let round = 0; round < 4; round++) {
        const all = await bench(seed * 10 + round)
        const { cluster, channels } = all
        const caller = cluster.one(cluster.nodes)
        for (const channel of channels) channel.leave('g')
        await pass(11_000)
        for (const channel of channels) channel.join('g')
        await pass(cluster.below(10))
        all.call(caller, 60_000)
        await pass(1 + cluster.below(15))
        cluster.network.cutOff(caller.engine)
        await pass(1_000)
        void cluster.network.restore(caller.engine)
        await pass(6_000)
        all.check(true)
        await cluster.stop()
      }
    })
  })

  test('8: the engine is away for longer than outageMs: remote parts end once, and all heals', async () => {
    await forSeeds(nextSeeds(), async (seed) => {
      const all = await bench(seed, 3, 2, 3_000)
      const { cluster } = all
      all.call(cluster.one(cluster.nodes), 20_000)
      await pass(cluster.below(400))
      cluster.network.kill()
      await pass(5_100 + cluster.below(3_000))
      const [made] = all.made
      expect(made?.outcomes).toHaveLength(made ? (made.outcomes?.length ?? -1) : 0)
      const during = all.call(cluster.one(cluster.nodes))
      await pass(100)
      const far = during.outcomes?.filter(({ status }) => status === 'unreached') ?? []
      expect(far.map((outcome) => outcome.status === 'unreached' && outcome.error.outcome)).toEqual(
        during.outcomes ? ['not-sent', 'not-sent'] : [],
      )
      void cluster.network.start()
      await pass(8_000)
      made && expect(made.took).toBeLessThanOrEqual(6_000)
      all.made.shift()
      all.check(true)
      await all.checkHealed()
      await cluster.stop()
    })
  })

  test('6, 9: a node stands still, or is cut off, for longer than the others wait for it', async () => {
    await forSeeds(nextSeeds(), async (seed) => {
      const all = await bench(seed)
      const { cluster } = all
      const victim = cluster.one(cluster.nodes)
      const isStopped = cluster.random() < 0.5
      all.call(cluster.one(cluster.nodes))
      await pass(cluster.below(50))
      if (isStopped) cluster.network.stop(victim.engine)
      else cluster.network.cutOff(victim.engine)
      for (let step = 0; step < 5; step++) {
        await pass(1_000 + cluster.below(1_000))
        all.call(cluster.one(cluster.nodes))
      }
      await pass(2_000)
      if (isStopped) cluster.network.continue(victim.engine)
      else void cluster.network.restore(victim.engine)
      for (let step = 0; step < 5; step++) {
        all.call(cluster.one(cluster.nodes))
        await pass(cluster.below(300))
      }
      await pass(12_000)
      all.check(true)
      await all.checkHealed()
      await cluster.stop()
    })
  })

  test('10: one node hears nothing of another: what is open ends, and nothing hangs', async () => {
    await forSeeds(nextSeeds(), async (seed) => {
      const all = await bench(seed)
      const { cluster } = all
      const [a, b] = cluster.nodes as [VirtualNode, VirtualNode]
      for (const node of cluster.nodes) all.call(node)
      await pass(cluster.below(50))
      cluster.network.cut(b.engine, a.engine)
      for (let step = 0; step < 8; step++) {
        await pass(1_000)
        for (const node of cluster.nodes) all.call(node)
      }
      cluster.network.heal()
      await pass(15_000)
      all.check(false)
      await all.checkHealed()
      await cluster.stop()
    })
  })

  test('7: nodes have a killed engine back at times far apart: calls are made at all targets, or were not sent', async () => {
    await forSeeds(nextSeeds(), async (seed) => {
      const all = await bench(seed, 3, 2, 300)
      const { cluster } = all
      const act = async () => {
        for (let step = 0; step < 3; step++) {
          all.call(cluster.one(cluster.nodes), 20_000)
          await pass(cluster.below(40))
        }
      }
      await act()
      await cluster.restartEngine(act)
      await pass(6_000)
      all.check(true, 6_000)
      for (const { outcomes } of all.made) {
        for (const outcome of outcomes ?? []) {
          if (outcome.status !== 'ok')
            expect(outcome).toMatchObject({ status: 'unreached', error: { outcome: 'not-sent' } })
        }
      }
      expect(cluster.nodes.map(({ node }) => node.epoch)).toEqual([1, 1, 1])
      await all.checkHealed()
      await cluster.stop()
    })
  })
})

describe('a call, fault by fault', () => {
  test('3: a node dies just after it has told an outcome: that outcome, or maybe-executed; never both, never none', async () => {
    for (const seed of nextSeeds()) {
      const all = await bench(seed)
      const { cluster } = all
      const [a, b] = cluster.nodes as [VirtualNode, VirtualNode]
      const made = all.call(a)
      await pass(seed % 50)
      cluster.network.cutOff(b.engine)
      await pass(3_000)
      const ofB = made.outcomes?.filter(({ node }) => node === b.node.id) ?? []
      expect(ofB.length === 2 || (ofB.length === 1 && ofB[0]?.status === 'unreached')).toBe(true)
      for (const outcome of ofB) {
        if (outcome.status !== 'ok')
          expect(outcome.error).toMatchObject({ outcome: 'maybe-executed' })
      }
      all.check(true)
      void cluster.network.restore(b.engine)
      await pass(10_000)
      await cluster.stop()
    }
  })

  test('1, 2: the open targets of a node that dies end within the grace and 200 ms; one that had not said is unreached', async () => {
    const all = await bench(1, 3, 2, 20_000)
    const { cluster } = all
    const [a, b, c] = cluster.nodes as [VirtualNode, VirtualNode, VirtualNode]
    const open = all.call(a, 60_000)
    await pass(200)
    cluster.network.stop(c.engine)
    const silent = all.call(a, 60_000)
    await pass(100)
    cluster.network.cutOff(b.engine)
    cluster.network.cutOff(c.engine)
    const ended: number[] = []
    const from = performance.now()
    while (a.node.directory.size > 0) await pass(10)
    ended.push(performance.now() - from)
    expect(ended[0]).toBeGreaterThanOrEqual(900)
    expect(ended[0]).toBeLessThanOrEqual(1_200)
    await pass(60_000)
    const lost = open.outcomes?.filter(({ node }) => node !== a.node.id) ?? []
    expect(lost).toHaveLength(4)
    for (const outcome of lost) {
      expect(outcome).toMatchObject({ status: 'error', error: { outcome: 'maybe-executed' } })
    }
    expect(silent.outcomes?.filter(({ node }) => node === c.node.id)).toMatchObject([
      { status: 'unreached', error: expect.any(RpcDisconnectedError) },
    ])
    await cluster.stop()
  })

  test('9: a node that was given up does not run calls in its next epoch whose caller does not know of that yet', async () => {
    const all = await bench(4)
    const { cluster } = all
    const [a, b, c] = cluster.nodes as [VirtualNode, VirtualNode, VirtualNode]
    const record = a.node.directory.get(b.node.id)
    // What it says of its next epoch is under way for longer than the call.
    cluster.network.cut(b.engine, a.engine)
    if (record) a.node.directory.bury(record, 'silent')
    a.node.send(b.node.id, Kind.buried, { epoch: 1 })
    await pass(50)
    expect(b.node.epoch).toBe(2)
    const made = all.call(a)
    await pass(1_000)
    cluster.network.heal()
    expect(made.outcomes?.map(({ node }) => node).toSorted()).toEqual(
      [a, a, c, c].map(({ node }) => node.id).toSorted(),
    )
    all.check(true)
    await pass(3_000)
    await all.checkHealed()
    await cluster.stop()
  })

  test('9, 14: a node is given up before what it had announced was read', async () => {
    await forSeeds(nextSeeds(), async (seed) => {
      for (let round = 0; round < 6; round++) {
        const all = await bench(seed * 10 + round)
        const { cluster, channels } = all
        const [a, b] = cluster.nodes as [VirtualNode, VirtualNode]
        const record = a.node.directory.get(b.node.id)
        for (const channel of channels) channel.leave('g')
        // Longer than a topic without members is kept.
        await pass(11_000)
        for (const channel of channels) channel.join('g')
        await pass(cluster.below(10))
        all.call(a)
        await pass(cluster.below(6))
        if (record) a.node.directory.bury(record, 'silent')
        await pass(10_000)
        all.check(true)
        await all.checkHealed()
        await cluster.stop()
      }
    })
  })

  test('6, 13: a node goes on in a new epoch as it is asked again: its targets are lost once, and not waited for', async () => {
    const all = await bench(8, 3, 0)
    const { cluster, channels, ran } = all
    const [a, b, c] = cluster.nodes as [VirtualNode, VirtualNode, VirtualNode]
    // The third node's target takes long, so that the call goes on.
    channels.push(
      b.connect(ran, () => 1),
      c.connect(ran, () => 2_000),
    )
    await pass(100)
    for (const channel of channels) channel.join('g')
    await pass(100)
    cluster.network.cut(b.engine, a.engine)
    const made = all.call(a, 60_000)
    await pass(300)
    expect(ran.get(made.k)).toContain(channels[0]?.id)
    const { engine } = a
    const publish = engine.publish.bind(engine)
    let times = 0
    engine.publish = (subject, payload) => {
      publish(subject, payload)
      // Another node has given it up, and the question is under way.
      if (payload[1] !== Kind.call || times++ > 0) return
      b.node.buried(1)
      cluster.network.heal()
    }
    await pass(10_000)
    expect(times).toBeGreaterThan(0)
    all.check(true)
    await all.checkHealed()
    await cluster.stop()
  })

  test('6: a node that is lost twice before the barrier is passed is unreached once', async () => {
    const all = await bench(9)
    const { cluster } = all
    const [a, b] = cluster.nodes as [VirtualNode, VirtualNode]
    const { engine } = a
    const barrier = engine.barrier.bind(engine)
    engine.barrier = async () => {
      await new Promise((resolve) => setTimeout(resolve, 500))
      await barrier()
    }
    // Its list of targets is not heard.
    cluster.network.cut(b.engine, a.engine)
    all.call(a)
    await pass(100)
    cluster.network.heal()
    for (const epoch of [1, 2]) {
      b.node.buried(epoch)
      await pass(100)
    }
    expect(a.node.directory.get(b.node.id)?.epoch).toBe(3)
    await pass(5_000)
    all.check(true)
    await cluster.stop()
  })

  test('13: a call that comes over the topic and directly, several times, runs once', async () => {
    const all = await bench(2)
    const { cluster } = all
    const [a] = cluster.nodes as [VirtualNode]
    const { engine } = a
    const publish = engine.publish.bind(engine)
    const again: [string, Uint8Array][] = []
    engine.publish = (subject, payload) => {
      publish(subject, payload)
      if (payload[1] === Kind.call) again.push([subject, payload])
    }
    all.call(a)
    await pass(20)
    for (let times = 0; times < 5; times++) {
      for (const [subject, payload] of again.slice(0, 1)) publish(subject, payload)
      await pass(100)
    }
    expect(again).toHaveLength(1)
    all.check(true)
    expect(all.made[0]?.outcomes).toHaveLength(6)
    await cluster.stop()
  })
})

describe('how long a node remembers a call', () => {
  /** Longer than a test. */
  const HANGS = 10_000_000

  /** Two nodes, with a client at the second one that does not answer the first time, and a call to it. */
  async function hanging(timeout: unknown) {
    const cluster = new VirtualCluster(1)
    const [a, b] = (await cluster.start(2)) as [VirtualNode, VirtualNode]
    const ran = new Map<number, string[]>()
    const far = b.connect(ran, () => (ran.get(1)?.length === 1 ? HANGS : 1))
    await pass(100)
    far.join('g')
    await pass(100)
    const { engine } = a
    const publish = engine.publish.bind(engine)
    const calls: [string, Uint8Array][] = []
    engine.publish = (subject, payload) => {
      publish(subject, payload)
      if (payload[1] === Kind.call) calls.push([subject, payload])
    }
    const giveUp = new AbortController()
    const { signal } = giveUp
    const made = a.group('g').call('once', { k: 1 } as never, { timeout, signal } as never)
    made.catch(() => {})
    await pass(100)
    expect(ran.get(1)).toEqual([far.id])
    const again = () => {
      for (const [subject, payload] of calls.slice(0, 1)) publish(subject, payload)
    }
    return { cluster, a, b, far, ran, giveUp, again }
  }

  test.each([
    ['no total limit', Number.POSITIVE_INFINITY],
    ['a limit without a sign of life only', { idle: HANGS }],
    ['a limit that is longer than a timer may be', 2 ** 33],
  ])(
    'a call with %s can be given up, and runs once, for as long as it runs',
    async (_, timeout) => {
      const { cluster, b, far, ran, giveUp, again } = await hanging(timeout)
      for (let minutes = 0; minutes < 3; minutes++) {
        await pass(61_000)
        again()
        await pass(100)
        expect(ran.get(1)).toEqual([far.id])
      }
      expect(b.aborted).toEqual([])
      giveUp.abort()
      await pass(100)
      expect(b.aborted).toEqual([far.id])
      // It has ended, so that it is forgotten after a while.
      await pass(121_000)
      again()
      await pass(100)
      expect(ran.get(1)).toHaveLength(2)
      await cluster.stop()
    },
  )

  test('a call without a total limit ends when the node that made it is lost', async () => {
    const { cluster, a, b, far } = await hanging(Number.POSITIVE_INFINITY)
    await pass(61_000)
    cluster.network.cutOff(a.engine)
    await pass(6_000)
    expect(b.aborted).toEqual([far.id])
    void cluster.network.restore(a.engine)
    await pass(6_000)
    await cluster.stop()
  })

  const message = { jsonrpc: '2.0', method: 'once', params: { k: 1 } }
  test.each([
    ['a question for members', { g: 'g', m: 'members' }, undefined],
    ['a question for their number', { g: 'g', m: 'count' }, undefined],
    ['a call to nobody', { g: 'none', f: { codec: 'json' } }, JSON.stringify(message)],
    ['a call in another codec', { g: 'g', f: { codec: 'other' } }, JSON.stringify(message)],
    ['a call that can not be read', { g: 'g', f: { codec: 'json' } }, 'not JSON'],
    ['a message that is no call', { g: 'g', f: { codec: 'json' } }, '{"jsonrpc":"2.0"}'],
    ['a call that has ended', { g: 'g', f: { codec: 'json' } }, JSON.stringify(message)],
  ])('%s is forgotten', async (_, said, body) => {
    const cluster = new VirtualCluster(1)
    const [a, b] = (await cluster.start(2)) as [VirtualNode, VirtualNode]
    const ran = new Map<number, string[]>()
    const connect = async () => {
      const channel = b.connect(ran, () => 1)
      await pass(100)
      for (const group of said.g === 'none' ? [] : [said.g]) channel.join(group)
      await pass(100)
      return channel
    }
    await connect()
    const { engine } = b
    const publish = engine.publish.bind(engine)
    const rolls: unknown[] = []
    engine.publish = (subject, payload) => {
      publish(subject, payload)
      const read = readEnvelope(payload)
      if (read?.envelope.kind === Kind.roll)
        rolls.push(Reflect.get(read.envelope.head as object, 'n'))
    }
    const ask = async () => {
      a.node.send(b.node.id, Kind.call, { c: 99, ask: true, ms: [null, null], ...said }, body)
      await pass(100)
      return rolls.at(-1)
    }
    const count = said.g === 'none' ? 0 : 1
    expect(await ask()).toBe(count)
    const channel = await connect()
    if (said.g === 'none') channel.join(said.g)
    // It has the targets that it had.
    expect(await ask()).toBe(count)
    await pass(61_000)
    // It has come for the first time.
    expect(await ask()).toBe(count + 1)
    await cluster.stop()
  })
})

describe('presence, fault by fault', () => {
  /** What a watch has told, by the ids of the channels. */
  function watched(node: VirtualNode) {
    const present = new Set<string>()
    const why: string[] = []
    /** The nodes that could not be asked, as they were told each time. */
    const unreached: string[][] = []
    const giveUp = new AbortController()
    void (async () => {
      for await (const event of node.group('g').watch({ signal: giveUp.signal })) {
        if (event.type === 'state') {
          present.clear()
          for (const { channelId } of event.members) present.add(channelId)
          unreached.push(event.unreached.map((one) => one.node).toSorted())
        } else {
          why.push(event.why)
          if (event.type === 'join') present.add(event.member.channelId)
          else present.delete(event.member.channelId)
        }
      }
    })()
    return { present, why, unreached, end: () => giveUp.abort() }
  }

  test('nodes that could not be asked are told, and that they can be again', async () => {
    const all = await bench(5)
    const { cluster, channels } = all
    const [a, b, c] = cluster.nodes as [VirtualNode, VirtualNode, VirtualNode]
    const others = [b.node.id, c.node.id].toSorted()
    cluster.network.cutOff(a.engine)
    const { present, unreached, end } = watched(a)
    await pass(500)
    expect(unreached).toEqual([others])
    expect(present.size).toBe(2)
    void cluster.network.restore(a.engine)
    await pass(3_000)
    expect(unreached).toEqual([others, []])
    expect([...present].toSorted()).toEqual(channels.map(({ id }) => id).toSorted())
    const later = watched(a)
    await pass(500)
    expect(later.unreached).toEqual([[]])
    // Without the engine for longer than outageMs: what is known of the others may be old.
    cluster.network.cutOff(a.engine)
    await pass(5_500)
    expect(unreached.at(-1)).toEqual(others)
    expect(later.unreached.at(-1)).toEqual(others)
    void cluster.network.restore(a.engine)
    await pass(5_000)
    expect(unreached.at(-1)).toEqual([])
    expect(present.size).toBe(6)
    for (const one of [end, later.end]) one()
    await cluster.stop()
  })

  test('a node that is given up while it could not be asked is unreached no more', async () => {
    const all = await bench(6)
    const { cluster } = all
    const [a, , c] = cluster.nodes as [VirtualNode, VirtualNode, VirtualNode]
    cluster.network.faults = {
      delayMs: [0, 10],
      drop: 1,
      only: (_, to) => to === c.engine,
    }
    const { present, unreached, end } = watched(a)
    await pass(7_000)
    // It says that it lives, and hears nothing: it is not given up, and its members are not known.
    expect(unreached).toEqual([[c.node.id]])
    expect(present.size).toBe(4)
    cluster.network.faults = { delayMs: [0, 10] }
    cluster.network.cut(c.engine, a.engine)
    await pass(8_000)
    expect(unreached.at(-1)).toEqual([])
    end()
    await cluster.stop()
  })

  test('members() does not leave out a node that has not told all of its members', async () => {
    const all = await bench(7)
    const { cluster } = all
    const [a, b, c] = cluster.nodes as [VirtualNode, VirtualNode, VirtualNode]
    // They say which members they have, and what they say of them is lost.
    cluster.network.faults = {
      delayMs: [0, 10],
      drop: 1,
      only: ({ payload }, to) => to === a.engine && payload[1] === Kind.link,
    }
    let found: Awaited<ReturnType<ReturnType<typeof a.group>['members']>> | undefined
    void a
      .group('g')
      .members()
      .then((members) => (found = members))
    await pass(7_000)
    expect(found?.members).toHaveLength(2)
    expect(found?.unreached.map((one) => one.node).toSorted()).toEqual(
      [b.node.id, c.node.id].toSorted(),
    )
    cluster.network.faults = { delayMs: [0, 10] }
    await cluster.stop()
  })

  test('no ghosts: the members of a node that dies leave, and come back with it', async () => {
    const all = await bench(3)
    const { cluster, channels } = all
    const [a, , c] = cluster.nodes as [VirtualNode, VirtualNode, VirtualNode]
    const { present, why, end } = watched(a)
    await pass(500)
    expect(present.size).toBe(6)
    cluster.network.cutOff(c.engine)
    await pass(5_000)
    expect(why).toEqual(['node-lost', 'node-lost'])
    expect(present.size).toBe(4)
    void cluster.network.restore(c.engine)
    await pass(5_000)
    expect([...present].toSorted()).toEqual(channels.map(({ id }) => id).toSorted())
    end()
    await cluster.stop()
  })

  test('what is watched is right again after lost messages, engine kills and flapping members', async () => {
    for (const seed of nextSeeds()) {
      const all = await bench(seed, 3, 3)
      const { cluster, channels } = all
      const [a, b] = cluster.nodes as [VirtualNode, VirtualNode]
      const watches = [watched(a), watched(b)]
      await pass(500)
      for (let step = 0; step < 40; step++) {
        const channel = cluster.one(channels)
        if (cluster.random() < 0.5) channel.join('g')
        else channel.leave('g')
        if (step === 10) cluster.network.faults = { delayMs: [0, 20], drop: 0.3 }
        if (step === 25) cluster.network.faults = { delayMs: [0, 10] }
        if (step === 30) cluster.network.kill()
        if (step === 34) void cluster.network.start()
        await pass(cluster.below(150))
      }
      await pass(25_000)
      const members = channels.filter(({ groups }) => groups.has('g')).map(({ id }) => id)
      for (const { present, end } of watches) {
        expect([...present].toSorted(), `seed ${seed}`).toEqual(members.toSorted())
        end()
      }
      await cluster.stop()
    }
  })
})
