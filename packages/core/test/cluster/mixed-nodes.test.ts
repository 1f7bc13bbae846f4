import {
  type Codec,
  createClient,
  defineContract,
  jsonCodec,
  method,
  RpcDisconnectedError,
} from '@flashrpc/core'
import { createCluster, memoryEngines } from '@flashrpc/core/cluster'
import { createEndpoint } from '@flashrpc/core/server'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { type ChatNode, chat, connectTo, startNodes } from '../support/cluster-of.js'
import { polled } from '../support/eventually.js'
import { rejection } from '../support/rejection.js'
import {
  inVirtualTime,
  pass,
  VirtualCluster,
  type VirtualNode,
} from '../support/virtual-cluster.js'

/** JSON by another name. */
const OTHER: Codec = {
  name: 'other',
  encode: (message) => jsonCodec.encode(message),
  decode: (frame) => jsonCodec.decode(frame),
}

/** Closes what was opened when the test has ended. */
function closing(): (() => unknown)[] {
  const opened: (() => unknown)[] = []
  onTestFinished(async () => {
    for (const close of opened.reverse()) await close()
  })
  return opened
}

function errorIn(outcome: unknown): unknown {
  return (outcome as { error?: unknown }).error
}

describe('20: two nodes with different codecs', () => {
  async function nodes() {
    const opened = closing()
    const engine = memoryEngines()
    const [[one], [two]] = (await Promise.all([
      startNodes(opened, [engine()]),
      startNodes(opened, [engine()], {}, { codec: OTHER }),
    ])) as [[ChatNode], [ChatNode]]
    const near = await connectTo(opened, one, 'near', ['g'])
    const asked: string[] = []
    const methods = { ask: ({ text }: { text: string }) => `far: ${asked.push(text)}` }
    const far = await connectTo(opened, two, 'far', ['g'], { codec: OTHER, methods } as never)
    await polled(async () => (await one.endpoint.group('g').count()).count).toBe(2)
    return { one, two, near, far, asked }
  }

  test('a call to a group has an outcome for each target: those of the other node were not called', async () => {
    const { one, two, near, far, asked } = await nodes()
    const outcomes = await one.endpoint.group('g').call('ask', { text: 'hi' })
    expect(outcomes).toMatchObject([
      { status: 'ok', channelId: near.channel.id, value: 'near: hi' },
      { status: 'error', channelId: far.channel.id, node: two.cluster.node },
    ])
    expect(errorIn(outcomes[1])).toMatchObject({
      code: -32010,
      message: 'The nodes of the cluster have different codecs: "json" and "other"',
    })
    expect(asked).toEqual([])
  })

  test('a call to one client of the other node is not sent', async () => {
    const { one, far, asked } = await nodes()
    const error = await rejection(one.endpoint.channel(far.channel.id).other.ask({ text: 'hi' }))
    expect(error).toMatchObject({ outcome: 'not-sent' })
    expect(asked).toEqual([])
  })

  test('who is in a group: the members of the other node are unreached, or counted', async () => {
    const { one, two, near } = await nodes()
    const { members, unreached } = await one.endpoint.group('g').members()
    expect(members.map(({ channelId }) => channelId)).toEqual([near.channel.id])
    expect(unreached).toMatchObject([
      { node: two.cluster.node, error: expect.any(RpcDisconnectedError) },
    ])
  })
})

const small = defineContract({
  server: {
    join: method({ params: z.object({ group: z.string() }) }),
    leave: method({ params: z.object({ group: z.string() }) }),
  },
  client: { ask: chat.client.ask },
})

test('20: a method that the contract of one node lacks: its targets were not called', async () => {
  const opened = closing()
  const engine = memoryEngines()
  const cluster = createCluster({ engine: engine(), app: 'test' })
  const endpoint = createEndpoint(small, {
    logger: false,
    cluster,
    methods: {
      join: ({ group }, { channel }) => channel.join(group),
      leave: ({ group }, { channel }) => channel.leave(group),
    },
  })
  opened.push(() => endpoint.close())
  const [nodes, { url }] = await Promise.all([startNodes(opened, [engine()]), endpoint.listen()])
  const [one] = nodes as [ChatNode]
  const near = await connectTo(opened, one, 'near', ['g'])
  const asked: string[] = []
  const methods = {
    ask: ({ text }: { text: string }) => `far: ${text}`,
    wait: () => `far: ${asked.push('wait')}`,
  }
  const far = await connectTo(opened, { url, endpoint } as never, 'far', ['g'], {
    methods,
  } as never)
  await polled(async () => (await one.endpoint.group('g').count()).count).toBe(2)
  const outcomes = await one.endpoint.group('g').call('wait', { ms: 1 })
  expect(outcomes).toMatchObject([
    { status: 'ok', channelId: near.channel.id },
    { status: 'error', channelId: far.channel.id },
  ])
  expect(errorIn(outcomes[1])).toMatchObject({ code: -32601 })
  expect(asked).toEqual([])
  expect(await one.endpoint.group('g').call('ask', { text: 'hi' })).toMatchObject([
    { value: 'near: hi' },
    { value: 'far: hi' },
  ])
  const remote = one.endpoint.channel(far.channel.id)
  expect(await rejection(remote.other.wait({ ms: 1 }))).toMatchObject({ code: -32601 })
  expect(asked).toEqual([])
})

test('20: the contract of one node has no progress of a method: its targets run without it', async () => {
  const opened = closing()
  const engine = memoryEngines()
  const params = z.object({ last: z.number() })
  const work = { params, result: z.string() }
  const newer = defineContract({
    server: {},
    client: { work: method({ ...work, progress: z.number() }) },
  })
  const older = defineContract({ server: {}, client: { work: method(work) } })
  async function start<C extends typeof newer | typeof older>(contract: C, name: string) {
    const cluster = createCluster({ engine: engine(), app: 'test' })
    const endpoint = createEndpoint(contract as typeof newer, { logger: false, cluster })
    opened.push(() => endpoint.close())
    const { url } = await endpoint.listen()
    // The client is newer than its node.
    const client = createClient(newer, {
      url,
      logger: false,
      methods: {
        work({ last }, { progress }) {
          progress(last)
          return `by ${name}`
        },
      },
    })
    opened.push(() => client.close())
    await client.connect()
    const [channel] = endpoint.channels
    if (!channel) throw new Error('the client has no channel')
    return { endpoint, channel }
  }
  const one = await start(newer, 'one')
  const two = await start(older, 'two')
  for (const { endpoint } of [one, two]) {
    await polled(async () => (await endpoint.all.count()).count).toBe(2)
  }
  const told: number[] = []
  const onProgress = (value: number) => told.push(value)
  const outcomes = await one.endpoint.all.call('work', { last: 7 }, { onProgress })
  expect(outcomes).toMatchObject([{ value: 'by one' }, { value: 'by two' }])
  expect(told).toEqual([7])
  const remote = one.endpoint.channel(two.channel.id)
  expect(await remote.other.work({ last: 8 }, { onProgress })).toBe('by two')
  expect(told).toEqual([7])
})

describe('20: two versions of the envelope', () => {
  inVirtualTime()

  /** Three nodes with a client each: two versions that overlap, and one that shares none with them. */
  async function virtual() {
    const cluster = new VirtualCluster(1)
    const [old] = (await cluster.start(1, { versions: [1, 1] })) as [VirtualNode]
    const [both] = (await cluster.start(1, { versions: [1, 2] })) as [VirtualNode]
    const [young] = (await cluster.start(1, { versions: [3, 4] })) as [VirtualNode]
    const ran = new Map<number, string[]>()
    const channels = [old, both, young].map((node) => node.connect(ran, () => 1))
    await pass(100)
    for (const channel of channels) channel.join('g')
    await pass(1_000)
    return { cluster, old, both, young, ran, channels }
  }

  test('nodes that share a version call each other, and name the one that shares none', async () => {
    const { cluster, old, both, young, ran, channels } = await virtual()
    const [first, second] = channels.map(({ id }) => id)
    for (const [k, caller] of [old, both].entries()) {
      const calls = caller.group('g').call('once', { k } as never)
      await pass(500)
      const outcomes = await calls
      const values = outcomes.flatMap((one) => (one.status === 'ok' ? one.channelId : []))
      expect(values.toSorted()).toEqual([first, second].toSorted())
      expect(outcomes.filter(({ status }) => status !== 'ok')).toMatchObject([
        { status: 'unreached', node: young.node.id, error: { outcome: 'not-sent' } },
      ])
      expect(ran.get(k)?.toSorted()).toEqual([first, second].toSorted())
    }
    await cluster.stop()
  })

  test('a node that shares none with the others has an outcome for each of them', async () => {
    const { cluster, old, both, young, ran, channels } = await virtual()
    const calls = young.group('g').call('once', { k: 5 } as never)
    await pass(500)
    const [own, ...others] = await calls
    expect(own).toMatchObject({ status: 'ok', channelId: channels[2]?.id })
    expect(others.map(({ node }) => node).toSorted()).toEqual(
      [old.node.id, both.node.id].toSorted(),
    )
    for (const other of others) {
      expect(other).toMatchObject({ status: 'unreached', error: { outcome: 'not-sent' } })
    }
    expect(ran.get(5)).toEqual([channels[2]?.id])
    await cluster.stop()
  })
})
