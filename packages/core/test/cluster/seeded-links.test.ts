import type { RpcDisconnectedError } from '@flashrpc/core'
import { describe, expect, test } from 'vitest'
import { Kind } from '../../src/cluster/envelope.js'
import { clusterSeeds, forSeeds } from '../support/cluster-seeds.js'
import {
  inVirtualTime,
  pass,
  VirtualCluster,
  type VirtualNode,
} from '../support/virtual-cluster.js'

inVirtualTime()

const seeds = clusterSeeds(3)

/** A call to one client of another node. */
interface Made {
  readonly k: number
  readonly to: string
  outcome: 'open' | 'ok' | RpcDisconnectedError['outcome']
}

/** Three nodes with two clients each, and calls between them over links. */
class Scene {
  readonly cluster: VirtualCluster
  readonly made: Made[] = []
  readonly #ids: string[] = []
  readonly #all = new Map<number, string[]>()

  private constructor(seed: number) {
    this.cluster = new VirtualCluster(seed)
  }

  static async of(seed: number): Promise<Scene> {
    const scene = new Scene(seed)
    const { cluster } = scene
    await cluster.start(3)
    for (const node of cluster.nodes) {
      for (let at = 0; at < 2; at++) {
        const { id } = node.connect(scene.#all, () => cluster.below(30))
        scene.#ids.push(id)
      }
    }
    await pass(100)
    return scene
  }

  /** Calls a client of another node than the one that calls. */
  call(from: VirtualNode): void {
    const { cluster, made } = this
    const to = cluster.one(this.#ids.filter((id) => !id.startsWith(from.node.id)))
    const call: Made = { k: made.length, to, outcome: 'open' }
    made.push(call)
    void from.seat
      .channel(to)
      .call('once', { k: call.k }, { timeout: 600_000 })
      .then(
        (value) => {
          expect(value).toBe(call.k)
          call.outcome = 'ok'
        },
        (error: RpcDisconnectedError) => {
          call.outcome = error.outcome
        },
      )
  }

  /** Each call has ended, and what is known of it is true. None ran twice, and each ran at its own client. */
  check(): void {
    for (const { k, to, outcome } of this.made) {
      expect(outcome, `call ${k}`).not.toBe('open')
      const ran = this.#all.get(k) ?? []
      if (outcome === 'ok') expect(ran, `call ${k}`).toEqual([to])
      else if (outcome === 'maybe-executed') expect([[], [to]], `call ${k}`).toContainEqual(ran)
      else expect(ran, `call ${k} is ${outcome}`).toEqual([])
    }
  }
}

const isLink = ({ payload }: { payload: Uint8Array }) => payload[1] === Kind.link

describe('calls over links, seed by seed', () => {
  test('12: messages of links are lost, or come twice: each call has its value, and ran once', async () => {
    await forSeeds(seeds, async (seed) => {
      const scene = await Scene.of(seed)
      const { cluster, made } = scene
      cluster.network.faults = { delayMs: [0, 10], drop: 0.05, duplicate: 0.05, only: isLink }
      for (let step = 0; step < 40; step++) {
        scene.call(cluster.one(cluster.nodes))
        await pass(cluster.below(50))
      }
      cluster.network.faults = { delayMs: [0, 10] }
      await pass(20_000)
      expect(cluster.network.counts.dropped + cluster.network.counts.duplicated).toBeGreaterThan(0)
      scene.check()
      expect(made.filter(({ outcome }) => outcome !== 'ok')).toEqual([])
      await cluster.stop()
    })
  })

  test('6, 7, 9, 11: nodes are cut off, stand still, or lose the engine: what is known of each call is true', async () => {
    await forSeeds(seeds, async (seed) => {
      const scene = await Scene.of(seed)
      const { cluster, made } = scene
      const { network, nodes } = cluster
      for (let round = 0; round < 3; round++) {
        const { engine } = cluster.one(nodes)
        const faults = [
          [() => network.cutOff(engine), () => void network.restore(engine)],
          [() => network.stop(engine), () => network.continue(engine)],
          [() => network.kill(), () => void network.start()],
        ] as const
        const [begin, end] = cluster.one(faults)
        scene.call(cluster.one(nodes))
        await pass(cluster.below(40))
        begin()
        const longest = cluster.random() < 0.5 ? 60 : 1_500
        for (let step = 0; step < 5; step++) {
          scene.call(cluster.one(nodes))
          await pass(cluster.below(longest))
        }
        end()
        for (let step = 0; step < 5; step++) {
          scene.call(cluster.one(nodes))
          await pass(cluster.below(60))
        }
        await pass(5_000)
      }
      await pass(15_000)
      scene.check()
      // All is as before.
      const before = made.length
      for (let step = 0; step < 6; step++) scene.call(cluster.one(nodes))
      await pass(2_000)
      scene.check()
      expect(made.slice(before).map(({ outcome }) => outcome)).toEqual(Array(6).fill('ok'))
      await cluster.stop()
    })
  })
})
