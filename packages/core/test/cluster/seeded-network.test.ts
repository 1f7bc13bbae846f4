import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type NetworkFaults, SeededNetwork } from '../support/seeded-network.js'
import { EngineNode } from '../support/suite/engine-node.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

async function opened(seed: number, faults?: NetworkFaults) {
  const network = new SeededNetwork(seed, faults)
  const nodes = [0, 1, 2].map(() => new EngineNode(network.engine()))
  const [one, two, three] = nodes as [EngineNode, EngineNode, EngineNode]
  const starts = Promise.all(nodes.map((node) => node.start()))
  await vi.advanceTimersByTimeAsync(100)
  await starts
  for (const node of nodes) node.subscribe('room')
  await vi.advanceTimersByTimeAsync(100)
  return { network, nodes, one, two, three }
}

/** What each of three nodes has told, of which two have published 100 messages each. */
async function history(seed: number, faults?: NetworkFaults) {
  const { network, nodes, one, two } = await opened(seed, faults)
  for (let i = 0; i < 100; i++) {
    one.publish('room', `one ${i}`)
    two.publish('room', `two ${i}`)
    await vi.advanceTimersByTimeAsync(1)
  }
  await vi.advanceTimersByTimeAsync(1_000)
  return { told: nodes.map((node) => node.told), counts: network.counts }
}

const FAULTS: NetworkFaults = { delayMs: [0, 20], drop: 0.1, duplicate: 0.1 }

test('the same happens for the same seed, and something else for another', async () => {
  const first = await history(1, FAULTS)
  expect(await history(1, FAULTS)).toStrictEqual(first)
  expect(await history(2, FAULTS)).not.toStrictEqual(first)
})

test('messages are lost, and come twice, as often as it is told, and stay in order', async () => {
  const { told, counts } = await history(3, FAULTS)
  expect(counts.dropped).toBeGreaterThan(10)
  expect(counts.duplicated).toBeGreaterThan(10)
  expect(counts.dropped + counts.delivered).toBe(400)
  expect(told.flat()).toHaveLength(counts.delivered + counts.duplicated)
  for (const publisher of ['one', 'two']) {
    const numbers = (told[2] ?? [])
      .map(([, text]) => text.split(' '))
      .filter(([from]) => from === publisher)
      .map(([, number]) => Number(number))
    expect(numbers).toStrictEqual(numbers.toSorted((a, b) => a - b))
  }
})

test('only the messages that are meant are lost', async () => {
  const { network, one, two, three } = await opened(4)
  network.faults = {
    drop: 1,
    only: ({ payload }, to) => payload.byteLength === 3 && to === two.engine,
  }
  one.publish('room', 'abc')
  one.publish('room', 'abcd')
  await vi.advanceTimersByTimeAsync(10)
  expect(two.textsOf('room')).toStrictEqual(['abcd'])
  expect(three.textsOf('room')).toStrictEqual(['abc', 'abcd'])
})

test('a cut is of one way, and nobody is told', async () => {
  const { network, one, two, three } = await opened(5)
  network.cut(one.engine, two.engine)
  one.publish('room', 'from one')
  two.publish('room', 'from two')
  await vi.advanceTimersByTimeAsync(10)
  expect(two.told).toStrictEqual([])
  expect(one.textsOf('room')).toStrictEqual(['from two'])
  expect(three.told).toHaveLength(2)
  // Two's answer reaches one, but one's question does not reach two.
  two.subscribe('probe')
  await vi.advanceTimersByTimeAsync(10)
  const reach = one.engine.reach('probe', 100)
  await vi.advanceTimersByTimeAsync(200)
  expect(await reach).toBe('unknown')
  network.heal()
  one.publish('room', 'again')
  await vi.advanceTimersByTimeAsync(10)
  expect(two.textsOf('room')).toStrictEqual(['again'])
  expect([one, two, three].map((node) => node.states)).toStrictEqual([['up'], ['up'], ['up']])
})

test('a node that is cut off is told, and gets nothing of the meantime', async () => {
  const { network, one, two } = await opened(6)
  network.cutOff(two.engine)
  one.publish('room', 'meanwhile')
  await vi.advanceTimersByTimeAsync(10)
  const restored = network.restore(two.engine)
  await vi.advanceTimersByTimeAsync(10)
  await restored
  one.publish('room', 'again')
  await vi.advanceTimersByTimeAsync(10)
  expect(two.states).toStrictEqual(['up', 'down', 'up'])
  expect(two.textsOf('room')).toStrictEqual(['again'])
})

test('a node that is stopped gets all of it later', async () => {
  const { network, one, two } = await opened(7)
  network.stop(two.engine)
  one.publish('room', 'a')
  one.publish('room', 'b')
  two.publish('room', 'c')
  const reach = one.engine.reach('room', 5_000)
  await vi.advanceTimersByTimeAsync(1_000)
  expect([two.told, one.told]).toStrictEqual([[], []])
  network.continue(two.engine)
  await vi.advanceTimersByTimeAsync(10)
  expect(two.textsOf('room')).toStrictEqual(['a', 'b'])
  expect(one.textsOf('room')).toStrictEqual(['c'])
  expect(await reach).toBe('yes')
})
