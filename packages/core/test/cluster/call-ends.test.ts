import { defineContract, method, type RpcError } from '@flashrpc/core'
import { describe, expect, test } from 'vitest'
import type { ClusterOutcome } from '../../src/server/cluster-audience.js'
import {
  inVirtualTime,
  type VirtualNode as Node,
  pass,
  VirtualCluster,
  VirtualNode,
} from '../support/virtual-cluster.js'

/** How calls to many end at the node that makes them. */

inVirtualTime()

/** A schema whose verdict waits for the test. */
function heldSchema() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const schema = {
    begun: 0,
    open,
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: async (value: unknown) => {
        schema.begun++
        await opened
        return { value }
      },
    },
  }
  return schema
}

/** The group of a client of the caller, and one of another node, whose answers the caller validates slowly. */
async function start(slow: 'result' | 'progress') {
  const schema = heldSchema()
  const contract = defineContract({
    server: {},
    client: { ask: method({ [slow]: schema } as never) },
  })
  const cluster = new VirtualCluster(1)
  const options = { app: 'test', graceMs: 1_000, outageMs: 5_000 }
  // The other node has no contract, so that it validates nothing.
  const [a, b] = [contract, undefined].map(
    (of, at) =>
      new VirtualNode({ ...options, engine: cluster.network.engine(), name: `n${at}` }, of),
  ) as [Node, Node]
  cluster.nodes.push(a, b)
  await pass(2_000)
  for (const node of [a, b]) {
    const ask = (_: unknown, { progress }: { progress: (value: unknown) => void }) => {
      progress('half')
      return 'done'
    }
    node.connectWith({ ask: ask as never }).join('g')
  }
  await pass(200)
  const told: unknown[] = []
  const outcomes: ClusterOutcome<unknown>[] = []
  let isOver = false
  const call = async (more: object = {}) => {
    const onProgress = (value: unknown) => void told.push(value)
    const all = { ...(slow === 'progress' && { onProgress }), ...more }
    for await (const outcome of a.group('g').each('ask', undefined as never, all as never)) {
      outcomes.push(outcome)
    }
    isOver = true
  }
  const errors = () => outcomes.map((outcome) => Reflect.get(outcome, 'error') as RpcError)
  return { cluster, a, b, schema, call, told, outcomes, errors, isOver: () => isOver }
}

type Started = Awaited<ReturnType<typeof start>>

describe.each(['result', 'progress'] as const)('while a %s is being validated', (slow) => {
  /** Both targets have ended in the same way, and nothing follows. */
  async function expectEnded(started: Started, error: object) {
    const { cluster, schema, told, outcomes, errors } = started
    expect(schema.begun).toBe(2)
    expect(outcomes).toHaveLength(2)
    expect(errors()).toMatchObject([error, error])
    expect(started.isOver()).toBe(true)
    schema.open()
    await pass(100)
    expect(outcomes).toHaveLength(2)
    expect(told).toEqual([])
    await cluster.stop()
  }

  test('the signal of a call ends it, here and elsewhere', async () => {
    const started = await start(slow)
    const giveUp = new AbortController()
    void started.call({ signal: giveUp.signal })
    await pass(1_000)
    expect(started.outcomes).toEqual([])
    giveUp.abort('enough')
    await pass(10)
    const message = '"ask" was aborted: it was sent and may have run'
    const outcome = 'maybe-executed'
    await expectEnded(started, { name: 'RpcAbortedError', message, outcome, cause: 'enough' })
  })

  test('its time ends it', async () => {
    const started = await start(slow)
    void started.call({ timeout: 3_000 })
    await pass(2_990)
    expect(started.outcomes).toEqual([])
    await pass(20)
    const message = '"ask" timed out after 3 s: it was sent and may have run'
    await expectEnded(started, { name: 'RpcTimeoutError', message, outcome: 'maybe-executed' })
  })

  test('its time without a sign of life ends it', async () => {
    const started = await start(slow)
    void started.call({ timeout: { idle: 1_000 } })
    await pass(900)
    expect(started.outcomes).toEqual([])
    await pass(500)
    const message = '"ask" showed no sign of life for 1 s: it was sent and may have run'
    await expectEnded(started, { name: 'RpcTimeoutError', message, outcome: 'maybe-executed' })
  })

  test('the end of the endpoint ends it', async () => {
    const started = await start(slow)
    void started.call({ timeout: Number.POSITIVE_INFINITY })
    await pass(1_000)
    expect(started.outcomes).toEqual([])
    for (const channel of started.a.channels) void channel.close()
    void started.a.seat.stop()
    await pass(100)
    const error = { name: 'RpcDisconnectedError', outcome: 'maybe-executed' }
    await expectEnded(started, error)
  })

  test('the end of its node does not: the answer is known', async () => {
    const { cluster, a, b, schema, call, outcomes, isOver } = await start(slow)
    void call({ timeout: 60_000 })
    await pass(1_000)
    cluster.network.stop(b.engine)
    await pass(10_000)
    expect(a.node.directory.size).toBe(0)
    expect(outcomes).toEqual([])
    schema.open()
    await pass(10)
    expect(outcomes).toMatchObject([{ value: 'done' }, { value: 'done' }])
    expect(isOver()).toBe(true)
    cluster.network.continue(b.engine)
    await cluster.stop()
  })
})

/** A node that is not ready yet, and calls of it. */
async function joining(change: (node: Node) => void = () => {}, others = 0) {
  const cluster = new VirtualCluster(1)
  await cluster.start(others)
  for (const { node } of cluster.nodes) expect(node.state).toBe('up')
  const engine = cluster.network.engine()
  const options = { app: 'test', graceMs: 1_000, outageMs: 5_000, name: 'late' }
  const node = { engine } as unknown as Node
  change(node)
  const late = new VirtualNode({ ...options, engine })
  cluster.nodes.push(late)
  late.connectWith({ ask: () => 'here' })
  const channel = [...late.channels][0]
  channel?.join('g')
  for (const other of cluster.nodes) other.connectWith({ ask: () => 'there' }).join('g')
  return { cluster, late }
}

/** The engine connects only if the test says so. */
function heldEngine({ engine }: Pick<Node, 'engine'>) {
  const begin = engine.start.bind(engine)
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  engine.start = async (events) => {
    await opened
    return begin(events)
  }
  return () => open()
}

describe('while a node is joining', () => {
  const NOT_READY = 'this node had not found out yet which other nodes there are'

  /** Makes a call, and writes down how it ends, and when. */
  function called(late: Node, options: object) {
    const made = { at: performance.now(), took: -1, far: [] as object[] }
    void late
      .group('g')
      .call('ask', undefined as never, options as never)
      .then((outcomes) => {
        made.took = performance.now() - made.at
        made.far = outcomes.filter(({ status }) => status === 'unreached')
      })
    return made
  }

  test('a call ends by its time, and says that others were not asked', async () => {
    const { cluster, late } = await joining((node) => void heldEngine(node))
    const made = called(late, { timeout: 100 })
    await pass(50)
    expect(made.took).toBe(-1)
    await pass(60)
    expect(made.took).toBeGreaterThanOrEqual(100)
    expect(made.took).toBeLessThan(110)
    expect(made.far).toMatchObject([
      {
        node: late.node.id,
        error: {
          name: 'RpcDisconnectedError',
          outcome: 'not-sent',
          message: `"ask" was not sent to the clients of a node: ${NOT_READY}`,
        },
      },
    ])
    await cluster.stop()
  })

  test('a call names the nodes that are known by then', async () => {
    const { cluster, late } = await joining(undefined, 2)
    const made = called(late, { timeout: 700 })
    await pass(710)
    expect(late.node.state).toBe('joining')
    const others = cluster.nodes.slice(0, 2).map(({ node }) => node.id)
    expect(made.far.map((outcome) => Reflect.get(outcome, 'node')).sort()).toEqual(others.sort())
    const one = { status: 'unreached', error: { outcome: 'not-sent' } }
    expect(made.far).toMatchObject([one, one])
    await cluster.stop()
  })

  test('a call ends by its signal, also if that has aborted before', async () => {
    const { cluster, late } = await joining((node) => void heldEngine(node))
    const before = called(late, { signal: AbortSignal.abort('no') })
    const giveUp = new AbortController()
    const amid = called(late, { signal: giveUp.signal })
    await pass(5)
    expect([before.took, amid.took]).toEqual([expect.any(Number), -1])
    expect(before.took).toBeLessThan(10)
    giveUp.abort('no')
    await pass(5)
    for (const made of [before, amid]) {
      expect(made.took).toBeLessThan(20)
      const error = { outcome: 'not-sent', cause: 'no' }
      expect(made.far).toMatchObject([{ node: late.node.id, error }])
    }
    await cluster.stop()
  })

  test('a call ends with the endpoint', async () => {
    const { cluster, late } = await joining((node) => void heldEngine(node))
    const made = called(late, { timeout: Number.POSITIVE_INFINITY })
    await pass(5)
    await Promise.all([late.seat.stop(), pass(100)])
    const message = expect.stringContaining('this endpoint was closed')
    expect(made.far).toMatchObject([{ error: { outcome: 'not-sent', message } }])
    await cluster.stop()
  })

  test('the wait counts as time of the call', async () => {
    const { cluster, late } = await joining(undefined, 1)
    const [other] = cluster.nodes as [Node]
    other.connectWith({ ask: () => new Promise(() => {}) }).join('g')
    const made = called(late, { timeout: 3_000 })
    await pass(2_900)
    expect(made.took).toBe(-1)
    await pass(200)
    expect(made.took).toBeGreaterThanOrEqual(3_000)
    expect(made.far).toEqual([])
    await cluster.stop()
  })

  test('members() and count() end, and name this node', async () => {
    const { cluster, late } = await joining((node) => void heldEngine(node))
    const group = late.group('g')
    const found: object[] = []
    void group.members().then((members) => found.push(members))
    void group.count().then((count) => found.push(count))
    await pass(5_100)
    const { id: node } = late.node
    expect(found).toMatchObject([{ unreached: [{ node }] }, { unreached: [{ node }] }])
    await cluster.stop()
  })

  test('a watch says so, and that the others are known when they are', async () => {
    const open = { engine: () => {} }
    const { cluster, late } = await joining((node) => {
      open.engine = heldEngine(node)
    }, 1)
    const giveUp = new AbortController()
    const states: string[][] = []
    void (async () => {
      for await (const event of late.group('g').watch({ signal: giveUp.signal })) {
        if (event.type === 'state') states.push(event.unreached.map(({ node }) => node))
      }
    })()
    await pass(5_100)
    expect(states).toEqual([[late.node.id]])
    open.engine()
    await pass(3_000)
    expect(states).toEqual([[late.node.id], []])
    giveUp.abort()
    await cluster.stop()
  })
})

describe('a node whose engine', () => {
  async function unreachedOf(late: Node) {
    const outcomes = late.group('g').call('ask', undefined as never)
    const count = late.group('g').count()
    await pass(1_000)
    const unreached = (await outcomes).filter(({ status }) => status === 'unreached')
    return [unreached, (await count).unreached]
  }

  test('can not be started names itself: it does not know who is there', async () => {
    const { cluster, late } = await joining(({ engine }) => {
      engine.start = () => Promise.reject(new Error('no such server'))
    })
    const message = expect.stringContaining('the engine of the cluster could not be started')
    const one = { node: late.node.id, error: { outcome: 'not-sent', message } }
    expect(await unreachedOf(late)).toMatchObject([[one], [one]])
    await cluster.stop()
  })

  test('has never been up names itself', async () => {
    const { cluster, late } = await joining(({ engine }) => {
      engine.start = async () => {}
    })
    await pass(2_000)
    expect(late.node.state).toBe('cut-off')
    const message = expect.stringContaining('the engine of the cluster is down')
    const one = { node: late.node.id, error: { outcome: 'not-sent', message } }
    expect(await unreachedOf(late)).toMatchObject([[one], [one]])
    await cluster.stop()
  })
})

test('a call does not hang if its engine fails instead of passing the barrier', async () => {
  const cluster = new VirtualCluster(1)
  const [a, b] = (await cluster.start(2)) as [Node, Node]
  b.connectWith({ ask: () => 'there' }).join('g')
  await pass(200)
  a.engine.barrier = () => {
    throw new Error('no barrier')
  }
  const outcomes = a.group('g').call('ask', undefined as never)
  await pass(100)
  expect(await outcomes).toMatchObject([{ value: 'there' }])
  await cluster.stop()
})

test('a call that is given up as it is sent ends at once', async () => {
  const cluster = new VirtualCluster(1)
  const [a, b] = (await cluster.start(2)) as [Node, Node]
  b.connectWith({ ask: () => new Promise(() => {}) }).join('g')
  await pass(200)
  const giveUp = new AbortController()
  const publish = a.engine.publish.bind(a.engine)
  a.engine.publish = (subject, payload) => {
    giveUp.abort()
    publish(subject, payload)
  }
  const outcomes = a.group('g').call('ask', undefined as never, { signal: giveUp.signal } as never)
  await pass(10)
  expect(await outcomes).toMatchObject([
    { status: 'unreached', node: b.node.id, error: { outcome: 'maybe-executed' } },
  ])
  a.engine.publish = publish
  await cluster.stop()
})
