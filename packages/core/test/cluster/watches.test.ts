import { describe, expect, test } from 'vitest'
import type { PresenceEvent } from '../../src/server/cluster-audience.js'
import {
  inVirtualTime,
  type VirtualNode as Node,
  pass,
  VirtualCluster,
} from '../support/virtual-cluster.js'

/** How the watch of a group at all nodes begins and ends. */

inVirtualTime()

async function start(count: number) {
  const cluster = new VirtualCluster(1)
  const nodes = await cluster.start(count)
  const channels = nodes.map((node) => {
    const channel = node.connectWith({})
    channel.join('g')
    return channel
  })
  await pass(200)
  /** How many subjects of presence each node is subscribed to. */
  const open = new Map<Node, number>()
  for (const node of nodes) {
    const subscribe = node.engine.subscribe.bind(node.engine)
    node.engine.subscribe = (subject) => {
      open.set(node, (open.get(node) ?? 0) + 1)
      const stop = subscribe(subject)
      return () => {
        open.set(node, (open.get(node) ?? 0) - 1)
        stop()
      }
    }
  }
  return { cluster, nodes, channels, open }
}

describe('an iteration from which nobody takes any more', () => {
  test('ends with its signal', async () => {
    const { cluster, nodes, channels, open } = await start(2)
    const [a] = nodes as [Node]
    const giveUp = new AbortController()
    const events = a.group('g').watch({ signal: giveUp.signal })
    const first = events.next()
    await pass(200)
    expect((await first).value).toMatchObject({ type: 'state' })
    expect(open.get(a)).toBe(1)
    giveUp.abort()
    expect(open.get(a)).toBe(0)
    channels[1]?.leave('g')
    await pass(200)
    expect(await events.next()).toEqual({ done: true, value: undefined })
    await cluster.stop()
  })

  test('ends with its endpoint', async () => {
    const { cluster, nodes, open } = await start(2)
    const [a] = nodes as [Node]
    const events = a.group('g').watch()
    const first = events.next()
    await pass(200)
    expect((await first).value).toMatchObject({ type: 'state' })
    await cluster.stop()
    expect(open.get(a)).toBe(0)
    expect(await events.next()).toEqual({ done: true, value: undefined })
  })
})

test('an iteration whose signal has aborted before asks nobody', async () => {
  const { cluster, nodes, open } = await start(2)
  const [a] = nodes as [Node]
  const events = a.group('g').watch({ signal: AbortSignal.abort() })
  expect(await events.next()).toEqual({ done: true, value: undefined })
  expect(open.get(a)).toBeUndefined()
  await cluster.stop()
})

test('an iteration ends at once while nodes are asked', async () => {
  const { cluster, nodes, open } = await start(2)
  const [a, b] = nodes as [Node, Node]
  cluster.network.stop(b.engine)
  const giveUp = new AbortController()
  const first = a.group('g').watch({ signal: giveUp.signal }).next()
  await pass(50)
  giveUp.abort()
  expect(await first).toEqual({ done: true, value: undefined })
  expect(open.get(a)).toBe(0)
  // Its answer comes after the end.
  cluster.network.continue(b.engine)
  await pass(1_000)
  expect(open.get(a)).toBe(0)
  await cluster.stop()
})

test('an answer that is older than another one of its node does not replace it', async () => {
  const { cluster, nodes, channels } = await start(3)
  const [a, b, c] = nodes as [Node, Node, Node]
  const events: PresenceEvent[] = []
  const giveUp = new AbortController()
  // The first question is over when this node has answered, too.
  cluster.network.stop(c.engine)
  void (async () => {
    for await (const event of a.group('g').watch({ signal: giveUp.signal })) events.push(event)
  })()
  await pass(100)
  const late = b.connectWith({})
  late.join('g')
  // The node tells of its new member, and is asked for all.
  await pass(400)
  expect(events).toEqual([])
  cluster.network.continue(c.engine)
  await pass(400)
  const [state, ...changes] = events
  const members = state?.type === 'state' ? state.members.map(({ channelId }) => channelId) : []
  expect(members.sort()).toEqual([...channels, late].map(({ id }) => id).sort())
  expect(changes).toEqual([])
  giveUp.abort()
  await cluster.stop()
})
