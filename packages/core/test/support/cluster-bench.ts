import type { RpcDisconnectedError } from '@flashrpc/core'
import { expect } from 'vitest'
import type { LiveChannel } from '../../src/channels/live-channel.js'
import type { ClusterOutcome } from '../../src/server/cluster-audience.js'
import { pass, type Ran, VirtualCluster, type VirtualNode } from './virtual-cluster.js'

/** A call to a group that is under way, or over. */
export interface Made {
  readonly k: number
  readonly caller: VirtualNode
  readonly at: number
  outcomes: readonly ClusterOutcome<unknown>[] | undefined
  took: number
}

let calls = 0

/** The clients of a cluster, what they ran, and the calls to them. */
export class Bench {
  readonly cluster: VirtualCluster
  readonly ran: Ran = new Map()
  readonly made: Made[] = []
  readonly channels: LiveChannel[] = []

  constructor(cluster: VirtualCluster) {
    this.cluster = cluster
  }

  /** Connects clients to each node; all are in the group. */
  async connect(each: number, longestMs = 40): Promise<void> {
    const { cluster } = this
    for (const node of cluster.nodes) {
      for (let at = 0; at < each; at++) {
        this.channels.push(node.connect(this.ran, () => cluster.random() * longestMs))
      }
    }
    await pass(100)
    for (const channel of this.channels) channel.join('g')
    await pass(100)
  }

  call(caller: VirtualNode, timeout = 3_000): Made {
    const k = ++calls
    const made: Made = { k, caller, at: performance.now(), outcomes: undefined, took: 0 }
    this.made.push(made)
    void caller
      .group('g')
      .call('once', { k } as never, { timeout } as never)
      .then((outcomes) => {
        made.outcomes = outcomes
        made.took = performance.now() - made.at
      })
    return made
  }

  /**
   * Each call has ended; no target has two outcomes, and none ran twice; what is known of it is true.
   *
   * @param longestMs how long a call may have taken; default: the timeout of {@link call}, and what is added to it.
   */
  check(isExact: boolean, longestMs = 4_100): void {
    for (const { k, outcomes, took } of this.made) {
      if (!outcomes) throw new Error(`call ${k} has not ended`)
      expect(took).toBeLessThanOrEqual(longestMs)
      const ran = this.ran.get(k) ?? []
      expect(new Set(ran).size, `call ${k} ran twice`).toBe(ran.length)
      const ids = outcomes.flatMap((outcome) => ('channelId' in outcome ? outcome.channelId : []))
      expect(new Set(ids).size, `call ${k} has two outcomes of one target`).toBe(ids.length)
      const unreached = outcomes.filter((outcome) => outcome.status === 'unreached')
      const lost = new Set(unreached.map(({ node }) => node))
      expect(lost.size, `call ${k} names a node twice`).toBe(unreached.length)
      for (const outcome of outcomes) {
        if (outcome.status === 'unreached') {
          if (outcome.error.outcome !== 'not-sent') continue
          expect(
            ran.filter((id) => id.startsWith(outcome.node)),
            `call ${k} ran although it was not sent`,
          ).toEqual([])
        } else if (outcome.status === 'ok') expect(ran).toContain(outcome.channelId)
        else if ((outcome.error as RpcDisconnectedError).outcome !== 'maybe-executed') {
          expect(ran, `call ${k}: ${outcome.error.message}`).not.toContain(outcome.channelId)
        }
      }
      if (!isExact) continue
      for (const id of ran) {
        const isTold = ids.includes(id) || lost.has(id.slice(0, 16))
        expect(isTold, `call ${k}: a target ran that has no outcome`).toBe(true)
      }
    }
  }

  /** The cluster is whole again: all know all, and each member has its outcome. */
  async checkHealed(): Promise<void> {
    const { nodes } = this.cluster
    for (const { node } of nodes) {
      expect(node.state).toBe('up')
      expect(node.directory.size).toBe(nodes.length - 1)
    }
    const members = this.channels.filter(({ groups }) => groups.has('g')).map(({ id }) => id)
    for (const node of nodes) {
      const made = this.call(node)
      await pass(4_200)
      expect(made.outcomes?.every(({ status }) => status === 'ok')).toBe(true)
      const called = made.outcomes?.map((outcome) =>
        'channelId' in outcome ? outcome.channelId : '',
      )
      expect(called?.toSorted()).toEqual(members.toSorted())
    }
  }
}

export async function bench(seed: number, nodes = 3, each = 2, longestMs?: number): Promise<Bench> {
  const cluster = new VirtualCluster(seed)
  await cluster.start(nodes)
  const made = new Bench(cluster)
  await made.connect(each, longestMs)
  return made
}
