import { createClient, type RpcDisconnectedError, type Transport } from '@flashrpc/core'
import { describe, expect, test } from 'vitest'
import type { LiveChannel } from '../../src/channels/live-channel.js'
import type { AnyClient } from '../../src/client/client.js'
import { Kind } from '../../src/cluster/envelope.js'
import { clusterSeeds, forSeeds } from '../support/cluster-seeds.js'
import {
  inVirtualTime,
  pass,
  VirtualCluster,
  type VirtualNode,
} from '../support/virtual-cluster.js'

inVirtualTime()

const seeds = clusterSeeds(2)

/** A call, and how often it has run. */
interface Made {
  outcome: 'open' | 'ok' | RpcDisconnectedError['outcome']
  ran: number
}

/** A notification: which one it is of those of its row, which must come in order. */
interface Told {
  readonly row: string
  readonly k: number
}

/** The numbers of the notifications that were sent, or have come, by their row. */
class Rows {
  readonly all = new Map<string, number[]>()

  add({ row, k }: Told): void {
    const numbers = this.all.get(row)
    if (numbers) numbers.push(k)
    else this.all.set(row, [k])
  }

  /** @returns the next one of a row. */
  next(row: string): Told {
    const told = { row, k: this.all.get(row)?.length ?? 0 }
    this.add(told)
    return told
  }
}

/** @returns a notification to all, as one that has come to one page. */
function rowAt({ row, k }: Told, page: number): Told {
  return { row: `${row} at page ${page}`, k }
}

/** A client that connects to the node that it is told to, and may have its session at another one. */
class Page {
  readonly client: AnyClient
  #at: VirtualNode
  #transport: Transport | undefined

  constructor(at: VirtualNode, methods: object) {
    this.#at = at
    this.client = createClient({
      transport: () => {
        this.#transport = this.#at.dial()
        return this.#transport
      },
      heartbeat: { intervalMs: 2_000, timeoutMs: 2_000 },
      retry: { minDelayMs: 20, maxDelayMs: 200 },
      logger: false,
      timeout: 600_000,
      methods,
    }) as unknown as AnyClient
  }

  /** Its connection is lost, and the next one leads to this node. */
  move(to: VirtualNode): void {
    this.#at = to
    this.#transport?.close(1006, 'cut')
  }
}

/** Three nodes, a page at each, and calls and notifications in both directions. */
class Scene {
  readonly cluster: VirtualCluster
  readonly pages: Page[] = []
  readonly made: Made[] = []
  readonly sent = new Rows()
  readonly came = new Rows()
  /** How many sessions have begun. */
  sessions = 0

  private constructor(seed: number) {
    this.cluster = new VirtualCluster(seed)
  }

  static async of(seed: number): Promise<Scene> {
    const scene = new Scene(seed)
    const { cluster, pages } = scene
    const run = async ({ at }: { at: number }) => {
      ;(scene.made[at] as Made).ran++
      await new Promise((resolve) => setTimeout(resolve, cluster.below(30)))
      return at
    }
    const told = (one: Told) => scene.came.add(one)
    const nodes = await cluster.start(3, {}, { run, told })
    for (const [at, node] of nodes.entries()) {
      const toAll = (one: Told) => told(rowAt(one, at))
      pages.push(new Page(node, { run, told, toAll }))
    }
    for (const { client } of pages) {
      let was: string = client.state.status
      client.subscribe(({ status, resumed }) => {
        if (status === 'connected' && was !== status && !resumed) scene.sessions++
        was = status
      })
    }
    await pass(500)
    expect(nodes.map(({ channels }) => channels.size)).toEqual([1, 1, 1])
    return scene
  }

  /** All pages move to other nodes, so that each lane is in use. */
  async spread(): Promise<void> {
    const { cluster, pages } = this
    for (const [at, page] of pages.entries()) {
      page.move(cluster.nodes[(at + 1) % 3] as VirtualNode)
    }
    await pass(500)
  }

  /** Does one thing of those that clients and nodes do. */
  act(): void {
    const { cluster, pages, sent } = this
    const page = cluster.one(pages)
    const node = cluster.one(cluster.nodes)
    const channel = cluster.one(cluster.nodes.flatMap(({ channels }) => [...channels]))
    const row = `${pages.indexOf(page)}`
    const actions: (() => void)[] = [
      () => this.#call((at) => page.client.call('run', { at })),
      () => void page.client.notify('told', sent.next(`of page ${row}`)).catch(() => {}),
    ]
    if (channel) {
      const { id } = channel as LiveChannel
      const remote = node.seat.channel(id)
      actions.push(
        () => this.#call((at) => remote.call('run', { at })),
        () => void channel.notify('told', sent.next(`of its node to ${id}`)).catch(() => {}),
        () => {
          const from = `of ${node.node.id} to ${id}`
          if (!id.startsWith(node.node.id))
            void remote.notify('told', sent.next(from)).catch(() => {})
        },
      )
    }
    cluster.one(actions)()
  }

  #call(call: (at: number) => Promise<unknown>): void {
    const at = this.made.length
    const made: Made = { outcome: 'open', ran: 0 }
    this.made.push(made)
    call(at).then(
      (value) => {
        expect(value).toBe(at)
        made.outcome = 'ok'
      },
      (error: RpcDisconnectedError) => {
        made.outcome = error.outcome
      },
    )
  }

  /** Each call has ended, and what is known of it is true. All that was told came in order, and nothing twice. */
  check(): void {
    for (const [at, { outcome, ran }] of this.made.entries()) {
      expect(outcome, `call ${at}`).not.toBe('open')
      const possible = { open: [], ok: [1], 'maybe-executed': [0, 1] }
      expect(
        (possible as Record<string, number[]>)[outcome] ?? [0],
        `call ${at} is ${outcome}`,
      ).toContain(ran)
    }
    for (const [row, numbers] of this.came.all) {
      const inOrder = [...new Set(numbers)].toSorted((one, other) => one - other)
      expect(numbers, row).toEqual(inOrder)
    }
  }

  /** Nothing at all was lost. */
  checkAll(): void {
    this.check()
    expect(this.made.filter(({ outcome }) => outcome !== 'ok')).toEqual([])
    expect(Object.fromEntries(this.came.all)).toEqual(Object.fromEntries(this.sent.all))
  }

  async stop(): Promise<void> {
    for (const { client } of this.pages) void client.close()
    await pass(100)
    await this.cluster.stop()
  }
}

const ofLanes = ({ payload }: { payload: Uint8Array }) =>
  payload[1] === Kind.lane || payload[1] === Kind.link

describe('sessions over lanes, seed by seed', () => {
  test('12, 15: messages are lost, or come twice, and clients move: all comes once, in order', async () => {
    await forSeeds(seeds, async (seed) => {
      const scene = await Scene.of(seed)
      const { cluster, pages } = scene
      await scene.spread()
      cluster.network.faults = { delayMs: [0, 10], drop: 0.03, duplicate: 0.03, only: ofLanes }
      for (let step = 0; step < 120; step++) {
        scene.act()
        if (cluster.random() < 0.05) cluster.one(pages).move(cluster.one(cluster.nodes))
        await pass(cluster.below(40))
      }
      cluster.network.faults = { delayMs: [0, 10] }
      await pass(20_000)
      expect(cluster.network.counts.dropped + cluster.network.counts.duplicated).toBeGreaterThan(0)
      scene.checkAll()
      expect(scene.sessions).toBe(3)
      await scene.stop()
    })
  })

  test('6, 7, 9, 10, 11: nodes are cut off, stand still, do not hear each other, or lose the engine', async () => {
    await forSeeds(seeds, async (seed) => {
      const scene = await Scene.of(seed)
      const { cluster, pages } = scene
      const { network, nodes } = cluster
      await scene.spread()
      for (let round = 0; round < 3; round++) {
        const [one, other] = [cluster.one(nodes), cluster.one(nodes)]
        const faults = [
          [() => network.cutOff(one.engine), () => void network.restore(one.engine)],
          [() => network.stop(one.engine), () => network.continue(one.engine)],
          [() => network.cut(one.engine, other.engine), () => network.heal()],
          [() => network.kill(), () => void network.start()],
        ] as const
        const [begin, end] = cluster.one(faults)
        const act = async (times: number, ms: number) => {
          for (let step = 0; step < times; step++) {
            scene.act()
            if (cluster.random() < 0.1) cluster.one(pages).move(cluster.one(nodes))
            await pass(cluster.below(ms))
          }
        }
        await act(10, 40)
        begin()
        await act(20, cluster.one([20, 60, 800]))
        end()
        await act(10, 60)
        await pass(5_000)
      }
      await pass(40_000)
      scene.check()
      // All is as before, and sessions that nobody came back to have ended.
      expect(nodes.flatMap(({ channels }) => [...channels])).toHaveLength(3)
      expect(pages.map(({ client }) => client.state.status)).toEqual(Array(3).fill('connected'))
      const before = scene.made.length
      const { sessions, sent, came } = scene
      const counts = new Map([...sent.all].map(([row, numbers]) => [row, numbers.length]))
      for (let step = 0; step < 30; step++) scene.act()
      await pass(2_000)
      scene.check()
      expect(scene.made.slice(before).filter(({ outcome }) => outcome !== 'ok')).toEqual([])
      for (const [row, numbers] of sent.all) {
        const now = numbers.slice(counts.get(row) ?? 0)
        expect(
          (came.all.get(row) ?? []).slice(-now.length || Number.POSITIVE_INFINITY),
          row,
        ).toEqual(now)
      }
      expect(scene.sessions).toBe(sessions)
      await scene.stop()
    })
  })

  test('7: the engine is killed, and nodes have it back at times far apart: nothing is lost, and no session ends', async () => {
    await forSeeds(seeds, async (seed) => {
      const scene = await Scene.of(seed)
      const { cluster, pages } = scene
      await scene.spread()
      for (let round = 0; round < 3; round++) {
        const act = async (times: number) => {
          for (let step = 0; step < times; step++) {
            scene.act()
            if (cluster.random() < 0.1) cluster.one(pages).move(cluster.one(cluster.nodes))
            await pass(cluster.below(60))
          }
        }
        await act(10)
        await cluster.restartEngine(() => act(5))
        await pass(6_000)
      }
      scene.checkAll()
      expect(scene.sessions).toBe(3)
      expect(cluster.nodes.map(({ node }) => node.epoch)).toEqual([1, 1, 1])
      await scene.stop()
    })
  })
})

describe('notifications of a group, seed by seed', () => {
  test('7, 12: each comes once at the most, in the order of its node, and only messages that are lost are missing', async () => {
    await forSeeds(seeds, async (seed) => {
      const scene = await Scene.of(seed)
      const { cluster, sent, came } = scene
      const { network, nodes } = cluster
      for (const { channels } of nodes) for (const channel of channels) channel.join('g')
      await pass(200)
      const publish = async () => {
        const from = cluster.one(nodes)
        const told = sent.next(from.node.id)
        const { elsewhere } = await from.group('g').notify('toAll', told)
        await pass(cluster.below(20))
        return { from, told, elsewhere }
      }
      const isNotification = ({ payload }: { payload: Uint8Array }) => payload[1] === Kind.notify
      network.faults = { delayMs: [0, 10], drop: 0.2, only: isNotification }
      const count = 40
      for (let step = 0; step < count; step++) expect((await publish()).elsewhere).toBe('published')
      await pass(1_000)
      scene.check()
      expect([...came.all.values()].flat()).toHaveLength(3 * count - network.counts.dropped)

      // A node loses the engine, and has it again.
      network.faults = { delayMs: [0, 10] }
      came.all.clear()
      const expected = new Rows()
      const publishTo = async (isReached: (from: VirtualNode, to: VirtualNode) => boolean) => {
        const { from, told, elsewhere } = await publish()
        const others = nodes.filter((to) => to !== from && isReached(from, to))
        expect(elsewhere).toBe(others.length > 0 ? 'published' : 'not-sent')
        for (const [at, to] of nodes.entries()) {
          if (to === from || others.includes(to)) expected.add(rowAt(told, at))
        }
      }
      const lost = cluster.one(nodes)
      network.cutOff(lost.engine)
      for (let step = 0; step < 15; step++)
        await publishTo((from, to) => from !== lost && to !== lost)
      void network.restore(lost.engine)
      await pass(1_000)
      for (let step = 0; step < 15; step++) await publishTo(() => true)
      await pass(1_000)
      expect(Object.fromEntries(came.all)).toEqual(Object.fromEntries(expected.all))
      await scene.stop()
    })
  })
})
