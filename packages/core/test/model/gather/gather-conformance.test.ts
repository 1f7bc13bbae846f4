import { describe, expect, test } from 'vitest'
import type { LiveChannel } from '../../../src/channels/live-channel.js'
import type { MemoryEngine } from '../../../src/cluster/memory-engine.js'
import type { ClusterOutcome } from '../../../src/server/cluster-audience.js'
import { seededRandom } from '../../../src/testing/seeded-random.js'
import { clusterSeeds } from '../../support/cluster-seeds.js'
import { SteppedNetwork } from '../../support/stepped-network.js'
import { inVirtualTime, pass, type Ran, VirtualNode } from '../../support/virtual-cluster.js'
import { search } from '../search.js'
import { replay } from '../trace.js'
import { gatherModel } from './gather-model.js'
import { gatherPromises } from './gather-properties.js'
import { type GatherScope, gatherScope } from './gather-scopes.js'
import type { Ending, State } from './gather-state.js'

/**
 * The real classes against the model: random walks through the model say when which message arrives at nodes, who joins,
 * what fails. Each end to which the real nodes come must be one of those to which the model can come.
 *
 * FLASHRPC_CLUSTER_SEEDS says how many seeds there are in each scope, FLASHRPC_SEED names one.
 */

const seeds = clusterSeeds(2)
/** How long a scope may take, in ms. It comes before the command line's, which does not know of the seeds. */
const TIMEOUT_MS = 60_000 + seeds.length * 5_000

/** The walks of one seed. */
const WALKS = 10

inVirtualTime()

/** Outages and lost messages are left out: they take time, and in time nodes bury each other. */
const scopes: readonly GatherScope[] = [
  gatherScope('two members', { members: 2, asks: 1 }),
  gatherScope('joins and leaves', { members: 1, joins: 1, leaves: 1 }),
  gatherScope('members that come', { joins: 2 }),
  gatherScope('a killed callee', { members: 2, kills: 1, hasOther: true }),
  gatherScope('a killed callee, as members come', { joins: 1, kills: 1 }),
  gatherScope('a closed callee', { members: 1, joins: 1, closes: 2 }),
  gatherScope('a lost engine', { members: 1, cuts: 1, hasOther: true }),
  gatherScope('a lost engine, as members come', { joins: 1, cuts: 1 }),
  gatherScope('a false death', { members: 1, falseDeaths: 1, hasOther: true }),
  gatherScope('a false death, as members come', { joins: 1, falseDeaths: 1 }),
]

/** What became of a call: of each target whether it ran and its outcome, and whether the callee is unreached. */
type End = string

function endOf({
  ran,
  ended,
  unreached,
}: Pick<State['record'], 'ran' | 'ended' | 'unreached'>): End {
  const targets = ended.map((end, id) => `${ran[id] ? 'ran' : 'did not run'}: ${end}`)
  return `${targets.join(', ')}; unreached: ${unreached}`
}

/** All ends to which the model can come. */
function endsOf(scope: GatherScope): Set<End> {
  const ends = new Set<End>()
  const all = {
    name: 'all ends',
    when: 'at rest',
    holds: ({ record }: State) => ends.add(endOf(record)).size > 0,
  } as const
  expect(search(gatherModel(scope), [...gatherPromises, all]).violation).toBeUndefined()
  return ends
}

/** A walk through the model, by the names of its steps. */
function walkOf(scope: GatherScope, seed: number): string[] {
  const random = seededRandom(seed)
  const model = gatherModel(scope)
  const state = model.initial()
  const names: string[] = []
  while (true) {
    const steps = model.steps(state)
    const step = steps[Math.floor(random() * steps.length)]
    if (!step) return names
    names.push(step.name)
    step.apply(state, () => {})
  }
}

/** The nodes of the model, real ones, in virtual time. */
class Real {
  readonly network = new SteppedNetwork()
  readonly caller = this.#node('caller')
  readonly callee = this.#node('callee')
  readonly other: VirtualNode | undefined
  readonly ran: Ran = new Map()
  readonly members: LiveChannel[] = []
  #isKilled = false
  #outcomes: readonly ClusterOutcome<unknown>[] | undefined

  constructor({ hasOther }: GatherScope) {
    if (hasOther) this.other = this.#node('other')
  }

  async begin({ members }: GatherScope, random: () => number): Promise<void> {
    await pass(2_000)
    this.members.push(...[0, 1].map(() => this.callee.connect(this.ran, () => random() * 30)))
    const there = this.members.slice(0, members)
    if (this.other) there.push(this.other.connect(this.ran, () => random() * 60))
    await pass(100)
    for (const channel of there) channel.join('g')
    await pass(200)
    for (const node of [this.caller, this.callee]) this.network.hold(engineOf(node))
  }

  /** Does what a step of the model is about. */
  async step(name: string): Promise<void> {
    const { caller, callee, network, members } = this
    const [, id = '0'] = /(\d)/.exec(name) ?? []
    const actions: Readonly<Record<string, () => unknown>> = {
      'engine takes from caller': () => network.step(engineOf(caller), 'to-bus'),
      'engine takes from callee': () => network.step(engineOf(callee), 'to-bus'),
      'caller takes': () => network.step(engineOf(caller), 'from-bus'),
      'caller takes from link': () => network.step(engineOf(caller), 'from-bus'),
      'callee takes': () => network.step(engineOf(callee), 'from-bus'),
      'caller calls': () => this.#call(),
      'caller asks again': () => pass(25),
      'caller asks early': () => pass(25),
      'caller loses the engine': () => engineOf(caller).lose('a cut'),
      'callee loses the engine': () => engineOf(callee).lose('a cut'),
      'caller is back': () => this.#restore(caller),
      'callee is back': () => this.#restore(callee),
      'caller gives up callee': () => bury(caller, callee),
      'caller takes callee for dead': () => bury(caller, callee),
      'callee takes caller for dead': () => bury(callee, caller),
      'another node takes callee for dead': () => callee.node.buried(callee.node.epoch),
      'another node takes caller for dead': () => caller.node.buried(caller.node.epoch),
      'callee begins to leave': () => callee.node.retire(),
      'callee ends': () => this.#close(),
      'callee ends at once': () => this.#close(),
      'callee is killed': () => this.#kill(),
      [`member ${id} joins`]: () => members[Number(id)]?.join('g'),
      [`member ${id} leaves`]: () => members[Number(id)]?.leave('g'),
      // They follow by themselves.
      'callee announces the topic': () => {},
      'callee ends the topic': () => {},
      [`handler ${id} ends`]: () => {},
      'another node has answered': () => {},
      'caller says beat': () => {},
      'callee says beat': () => {},
    }
    const action = actions[name]
    if (!action) throw new Error(`What is "${name}" to the real nodes?`)
    await action()
    await pass(1)
  }

  /** Lets all come to rest. @returns what became of the call. */
  async end(): Promise<End> {
    const { caller, callee, network, ran } = this
    network.release()
    for (const node of [caller, callee]) {
      if (!this.#isKilled || node === caller) void engineOf(node).connect()
    }
    await pass(8_000)
    const outcomes = this.#outcomes
    if (!outcomes) throw new Error('the call has not ended')
    const ids = this.members.map((member) => member.id)
    const targets = ids.map((id) =>
      outcomes.filter((outcome) => 'channelId' in outcome && outcome.channelId === id),
    )
    const nodes = outcomes.filter(
      ({ status, node }) => status === 'unreached' && node === callee.node.id,
    )
    for (const of of [...targets, nodes]) expect(of.length).toBeLessThanOrEqual(1)
    const runs = ran.get(1) ?? []
    return endOf({
      ran: ids.map((id) => runs.filter((one) => one === id).length),
      ended: targets.map(([one]) => endingOf(one)),
      unreached: unreachedIn(nodes[0]),
    })
  }

  async stop(): Promise<void> {
    const nodes = [this.caller, this.callee, ...(this.other ? [this.other] : [])]
    for (const { channels } of nodes) for (const channel of [...channels]) await channel.close()
    const stopped = Promise.all(nodes.map(({ seat }) => seat.stop()))
    await pass(3_000)
    await stopped
  }

  #node(name: string): VirtualNode {
    const engine = this.network.engine()
    return new VirtualNode({ engine, app: 'test', name, graceMs: 1_000, outageMs: 5_000 })
  }

  #call(): void {
    void this.caller
      .group('g')
      .call('once', { k: 1 } as never, { timeout: 600_000 } as never)
      .then((outcomes) => {
        this.#outcomes = outcomes
      })
  }

  /** The engine's client connects, and subscribes again. */
  async #restore(node: VirtualNode): Promise<void> {
    const engine = engineOf(node)
    void engine.connect()
    while (this.network.step(engine, 'to-bus'));
    while (this.network.step(engine, 'from-bus'));
    await pass(1)
  }

  #kill(): void {
    this.#isKilled = true
    engineOf(this.callee).lose('it was killed')
  }

  #close(): void {
    this.#isKilled = true
    void this.callee.seat.stop()
  }
}

function engineOf({ engine }: VirtualNode): MemoryEngine {
  return engine as MemoryEngine
}

/** Takes real nodes along a walk, and lets them come to rest. */
async function follow(scope: GatherScope, steps: readonly string[], seed: number): Promise<End> {
  const real = new Real(scope)
  await real.begin(scope, seededRandom(seed))
  try {
    for (const step of steps) await real.step(step)
    return await real.end()
  } finally {
    await real.stop()
  }
}

/** A node gives up another one. */
function bury({ node: { directory } }: VirtualNode, { node: { id } }: VirtualNode): void {
  const record = directory.get(id)
  if (record) directory.bury(record, 'dead')
}

function endingOf(outcome: ClusterOutcome<unknown> | undefined): Ending {
  if (!outcome) return 'none'
  if (outcome.status === 'ok') return 'ok'
  expect(outcome).toMatchObject({ error: { outcome: 'maybe-executed' } })
  return 'maybe'
}

function unreachedIn(outcome: ClusterOutcome<unknown> | undefined): State['record']['unreached'] {
  if (outcome?.status !== 'unreached') return 'none'
  if (outcome.error.outcome === 'not-sent') return 'not-sent'
  expect(outcome.error.outcome).toBe('maybe-executed')
  return 'maybe'
}

describe('real nodes come only to ends to which the model comes', () => {
  const seen = new Set<End>()

  test.each(scopes)('$name', { timeout: TIMEOUT_MS }, async (scope) => {
    const ends = endsOf(scope)
    for (const seed of seeds) {
      for (let walk = 0; walk < WALKS; walk++) {
        const steps = walkOf(scope, seed * WALKS + walk)
        try {
          const end = await follow(scope, steps, seed)
          expect(ends).toContain(end)
          seen.add(end)
        } catch (error) {
          const { text } = replay(gatherModel(scope), steps)
          throw new Error(`seed ${seed}, walk ${walk}:\n${text}`, { cause: error })
        }
      }
    }
  })

  test.runIf(seeds.length > 1)('and to all kinds of them', () => {
    const all = [...seen].join('\n')
    for (const part of ['ran: ok', 'ran: maybe', 'unreached: maybe', 'unreached: none']) {
      expect(all).toContain(part)
    }
  })
})
