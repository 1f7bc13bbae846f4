import {
  RpcAbortedError,
  RpcDisconnectedError,
  type RpcError,
  RpcTimeoutError,
  RpcValidationError,
} from '@flashrpc/core'
import { type ClusterEngine, memoryEngines } from '@flashrpc/core/cluster'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ChatNode, connectTo, startNodes } from '../cluster-of.js'
import { polled } from '../eventually.js'

/**
 * What group calls promise, over real sockets and any engine.
 *
 * @param open makes what makes the engine of one more node.
 */
export function describeGroupCalls(name: string, open: () => Promise<() => ClusterEngine>): void {
  describe(`group calls over ${name}`, () => {
    const opened: (() => unknown)[] = []
    let engine: () => ClusterEngine
    let a: ChatNode
    let b: ChatNode
    let c: ChatNode
    let count = 0
    let room: string

    beforeAll(async () => {
      engine = await open()
      ;[a, b, c] = (await startNodes(opened, [engine(), engine(), engine()])) as [
        ChatNode,
        ChatNode,
        ChatNode,
      ]
    })

    afterAll(async () => {
      for (const close of opened.splice(0).reverse()) await close()
    })

    beforeEach(() => {
      room = `room ${++count}`
    })

    const join = (node: ChatNode, name: string) => connectTo(opened, node, name, [room])
    /** The announcements of a node have come to the others. */
    const announced = () => new Promise((resolve) => setTimeout(resolve, 60))

    describe('a group of a cluster', () => {
      test('is called at all nodes: each target has its outcome once, with its node; this node’s come first', async () => {
        const [c1, b1, b2, a1] = [
          await join(c, 'c1'),
          await join(b, 'b1'),
          await join(b, 'b2'),
          await join(a, 'a1'),
        ]
        await announced()
        const outcomes = await a.endpoint.group(room).call('ask', { text: 'hi' })
        expect(outcomes).toHaveLength(4)
        expect(outcomes[0]).toMatchObject({ status: 'ok', value: 'a1: hi', node: a.cluster.node })
        for (const one of [c1, b1, b2, a1]) {
          const mine = outcomes.filter(
            (o) => o.status !== 'unreached' && o.channelId === one.channel.id,
          )
          expect(mine).toMatchObject([
            { status: 'ok', value: `${one.name}: hi`, node: one.channel.id.slice(0, 16) },
          ])
        }
        // In the order of its node.
        const ofB = outcomes.filter((o) => o.node === b.cluster.node)
        expect(ofB).toMatchObject([{ channelId: b1.channel.id }, { channelId: b2.channel.id }])
      })

      test('has nobody: no outcomes', async () => {
        expect(await a.endpoint.group(room).call('ask', { text: 'hi' })).toStrictEqual([])
      })

      test('is told by one publish, to all but those that are left out', async () => {
        const [a1, b1, b2, c1] = [
          await join(a, 'a1'),
          await join(b, 'b1'),
          await join(b, 'b2'),
          await join(c, 'c1'),
        ]
        const outsider = await connectTo(opened, c, 'outsider', ['another'])
        await announced()
        const group = a.endpoint.group(room)
        expect(await group.notify('tell', { text: 'one' })).toStrictEqual({
          here: 1,
          elsewhere: 'published',
        })
        await group.except(b1.channel.id).except([c1.channel]).notify('tell', { text: 'two' })
        await group.notify('tell', { text: 'three' })
        const all = ['one', 'two', 'three']
        await polled(() => [a1, b1, b2, c1].map(({ heard }) => heard.length)).toEqual([3, 2, 3, 2])
        expect(a1.heard).toEqual(all)
        expect(b2.heard).toEqual(all)
        expect(b1.heard).toEqual(['one', 'three'])
        expect(c1.heard).toEqual(['one', 'three'])
        expect(outsider.heard).toEqual([])
      })

      test('except leaves out targets of calls, given as channels, remote channels and ids', async () => {
        const [a1, b1, b2] = [await join(a, 'a1'), await join(b, 'b1'), await join(b, 'b2')]
        await announced()
        const group = a.endpoint.group(room)
        const names = async (left: Parameters<typeof group.except>[0]) =>
          (await group.except(left).call('ask', { text: '' })).map((o) => 'value' in o && o.value)
        expect(await names(a1.channel)).toEqual(['b1: ', 'b2: '])
        expect(await names([b1.channel.id, a.endpoint.channel(b2.channel.id)])).toEqual(['a1: '])
        expect(group.except(a1.channel).here.size).toBe(0)
        expect(group.here.size).toBe(1)
        expect([...group.here]).toEqual([a1.channel])
      })

      test('endpoint.all is all clients of all nodes', async () => {
        await join(a, 'a1')
        await join(b, 'b1')
        const sizes = [a, b, c].map(({ endpoint }) => endpoint.channels.size)
        const outcomes = await c.endpoint.all.call('ask', { text: '' })
        expect(outcomes).toHaveLength(sizes.reduce((x, y) => x + y))
        expect(new Set(outcomes.map((o) => 'channelId' in o && o.channelId)).size).toBe(
          outcomes.length,
        )
      })

      test('values are as the schema makes them, and bytes are bytes', async () => {
        await join(b, 'b1')
        await announced()
        const group = a.endpoint.group(room)
        expect(await group.call('date', { ms: 5 })).toMatchObject([{ value: new Date(5) }])
        const [outcome] = await group.call('bytes', { data: new Uint8Array([1, 2, 3]) })
        expect(outcome).toMatchObject({ status: 'ok', value: new Uint8Array([2, 3, 4]) })
      })

      test('20: what is larger than the engine carries goes in parts', async () => {
        const engine = memoryEngines({ maxPayload: 16_384 })
        const [one, two] = (await startNodes(opened, [engine(), engine()])) as [ChatNode, ChatNode]
        await connectTo(opened, two, 'far', ['g'])
        await announced()
        const text = 'x'.repeat(200_000)
        expect(await one.endpoint.group('g').call('ask', { text })).toMatchObject([
          { value: `far: ${text}` },
        ])
      })

      test('errors are the ones that they are at the target’s own node', async () => {
        await join(b, 'b1')
        await join(a, 'a1')
        await announced()
        const group = a.endpoint.group(room)
        const errors = async (outcomes: Promise<readonly object[]>) =>
          (await outcomes).map((outcome) => (outcome as { error: RpcError }).error)
        const [failedHere, failedThere] = await errors(group.call('fail', {}))
        expect(failedThere).toMatchObject({ code: -32603, message: failedHere?.message })
        const [lateHere, lateThere] = await errors(
          group.call('wait', { ms: 5_000 }, { timeout: 50 }),
        )
        expect([lateHere, lateThere]).toEqual([
          expect.any(RpcTimeoutError),
          expect.any(RpcTimeoutError),
        ])
        expect(lateThere).toMatchObject({ outcome: 'maybe-executed' })
        const [unsentHere, unsentThere] = await errors(group.call('ask', { text: 5n as never }))
        expect(unsentHere).toBeInstanceOf(RpcValidationError)
        expect(unsentThere).toMatchObject({ message: unsentHere?.message, outcome: 'not-sent' })
        const [unknownHere, unknownThere] = await errors(group.call('nothing' as 'fail', {}))
        expect(unknownThere).toMatchObject({
          code: unknownHere?.code,
          message: unknownHere?.message,
        })
        const [wrongHere, wrongThere] = await errors(group.call('ask', { text: 5 as never }))
        expect(wrongThere).toMatchObject({ code: wrongHere?.code, message: wrongHere?.message })
        const wrong = errors(group.call('ask', { text: '' }, { timeOut: 5 } as never))
        expect((await wrong).map(({ code }) => code)).toEqual([-32008, -32008])
      })

      test('each yields outcomes as they come; to leave it cancels the others, everywhere', async () => {
        const [b1, c1] = [await join(b, 'b1'), await join(c, 'c1')]
        await join(a, 'a1')
        await announced()
        const came: string[] = []
        for await (const outcome of a.endpoint.group(room).each('wait', { ms: 10 })) {
          came.push(outcome.status === 'ok' ? outcome.value : outcome.status)
        }
        expect(came.toSorted()).toEqual(['a1', 'b1', 'c1'])
        const quick = { methods: { wait: () => 'quick' } }
        await connectTo(opened, b, 'quick', [room], quick as never)
        for await (const outcome of a.endpoint.group(room).each('wait', { ms: 20_000 })) {
          expect(outcome).toMatchObject({ value: 'quick', node: b.cluster.node })
          break
        }
        await polled(() => [b1.aborted, c1.aborted]).toEqual([['b1'], ['c1']])
      })

      test('a signal ends the outcomes at once, and the calls', async () => {
        const [b1] = [await join(b, 'b1'), await join(a, 'a1')]
        await announced()
        const giveUp = new AbortController()
        const calls = a.endpoint.group(room).call('wait', { ms: 20_000 }, { signal: giveUp.signal })
        await announced()
        giveUp.abort(new Error('enough'))
        const outcomes = await calls
        expect(outcomes).toMatchObject([
          { error: expect.any(RpcAbortedError) },
          { error: expect.any(RpcAbortedError) },
        ])
        await polled(() => b1.aborted).toEqual(['b1'])
      })

      test('options.timeout holds at each target; Infinity waits', async () => {
        await join(b, 'b1')
        await announced()
        const [outcome] = await a.endpoint
          .group(room)
          .call('wait', { ms: 100 }, { timeout: Number.POSITIVE_INFINITY })
        expect(outcome).toMatchObject({ status: 'ok', value: 'b1' })
      })

      test('an endpoint without sockets calls as others do', async () => {
        // It is a node like the others, and never listens.
        await join(b, 'b1')
        const engine = memoryEngines()
        const [one] = (await startNodes(opened, [engine()])) as [ChatNode]
        expect(await one.endpoint.all.call('ask', { text: '' })).toStrictEqual([])
      })
    })

    describe('who is in a group', () => {
      test('members() names those of all nodes, with what they joined with and which methods they have', async () => {
        const [b1, a1] = [await join(b, 'b1'), await join(a, 'a1')]
        b1.channel.join(room, { info: { name: 'Ada' } })
        await announced()
        const { members, unreached } = await a.endpoint.group(room).members()
        expect(unreached).toEqual([])
        expect(members).toMatchObject([
          { channelId: a1.channel.id, node: a.cluster.node, isConnected: true, info: undefined },
          {
            channelId: b1.channel.id,
            node: b.cluster.node,
            isConnected: true,
            info: { name: 'Ada' },
          },
        ])
        for (const { methods } of members) {
          expect(methods?.toSorted()).toEqual(['ask', 'bytes', 'date', 'fail', 'tell', 'wait'])
        }
        b1.channel.join(room, { info: { name: 'Grace' } })
        expect((await c.endpoint.group(room).members()).members).toContainEqual(
          expect.objectContaining({ info: { name: 'Grace' } }),
        )
        expect((await c.endpoint.group(room).except(a1.channel).members()).members).toHaveLength(1)
        b1.channel.leave(room)
        b1.channel.join(room)
        const [, again] = (await a.endpoint.group(room).members()).members
        expect(again).toMatchObject({ info: undefined })
      })

      test('count() counts them', async () => {
        expect(await a.endpoint.group(room).count()).toEqual({ count: 0, unreached: [] })
        for (const node of [a, b, b, c]) await join(node, 'one')
        await announced()
        for (const { endpoint } of [a, b, c]) {
          expect(await endpoint.group(room).count()).toEqual({ count: 4, unreached: [] })
        }
        const clients = [a, b, c].reduce((all, { endpoint }) => all + endpoint.channels.size, 0)
        expect(await a.endpoint.all.count()).toEqual({ count: clients, unreached: [] })
      })

      test('watch() tells who is there, and then each change, until it is left', async () => {
        const [a1, b1] = [await join(a, 'a1'), await join(b, 'b1')]
        await announced()
        const told: string[] = []
        const giveUp = new AbortController()
        const nameOf = (id: string) =>
          [...known].find(({ channel }) => channel.id === id)?.name ?? 'somebody'
        const known = new Set([a1, b1])
        const watching = (async () => {
          for await (const event of a.endpoint.group(room).watch({ signal: giveUp.signal })) {
            if (event.type === 'state') {
              told.push(`state ${event.members.map(({ channelId }) => nameOf(channelId)).join()}`)
            } else {
              const info =
                event.member.info === undefined ? '' : ` ${JSON.stringify(event.member.info)}`
              told.push(`${event.type} ${nameOf(event.member.channelId)} ${event.why}${info}`)
            }
          }
        })()
        await polled(() => told).toEqual(['state a1,b1'])
        const c1 = await connectTo(opened, c, 'c1')
        const b2 = await connectTo(opened, b, 'b2')
        for (const one of [c1, b2]) known.add(one)
        c1.channel.join(room, { info: { name: 'Ada' } })
        await polled(() => told.at(-1)).toBe('join c1 joined {"name":"Ada"}')
        b2.channel.join(room)
        await polled(() => told.at(-1)).toBe('join b2 joined')
        b2.channel.join(room, { info: 5 })
        await polled(() => told.at(-1)).toBe('change b2 changed 5')
        a1.channel.leave(room)
        await polled(() => told.at(-1)).toBe('leave a1 left')
        await b1.client.close()
        await polled(() => told.at(-1)).toBe('leave b1 ended')
        b2.channel.leave(room)
        await polled(() => told.at(-1)).toMatch('leave b2 left')
        expect(told).toHaveLength(7)
        giveUp.abort()
        await watching
        c1.channel.leave(room)
        for await (const event of b.endpoint.group(room).watch()) {
          expect(event).toEqual({ type: 'state', members: [], unreached: [] })
          break
        }
      })

      test('what a channel joins with is bounded, and must be carried', async () => {
        const { channel } = await join(a, 'a1')
        const joining = (options: object) => () => channel.join(room, options)
        expect(joining({ info: 'x'.repeat(5_000) })).toThrow(
          /info takes 5\d+ bytes as it is sent\. At most 4096 are allowed/,
        )
        expect(joining({ info: 5n })).toThrow("info can't be told to others")
        expect(joining({ infos: 5 })).toThrow('Did you mean "info"?')
      })
    })

    describe('a node that goes', () => {
      test('4: what it runs is answered, new calls do not go there, nobody waits', async () => {
        const app = `apart-${++count}`
        const [one, two] = (await startNodes(opened, [engine(), engine()], { app })) as [
          ChatNode,
          ChatNode,
        ]
        const far = await connectTo(opened, two, 'far', ['g'])
        await announced()
        const running = one.endpoint.group('g').call('wait', { ms: 300 })
        await polled(() => far.channel.isConnected).toBe(true)
        await announced()
        const closing = two.endpoint.close({ drain: 2_000 })
        await announced()
        const began = performance.now()
        expect(await one.endpoint.group('g').call('ask', { text: '' })).toStrictEqual([])
        expect(performance.now() - began).toBeLessThan(200)
        void running
        await closing
        expect(await running).toHaveLength(1)
        expect(one.cluster.nodes).toHaveLength(1)
      })

      test('of a node that is not there any more, nothing hangs', async () => {
        const app = `apart-${++count}`
        const [one, two] = (await startNodes(opened, [engine(), engine()], { app })) as [
          ChatNode,
          ChatNode,
        ]
        await connectTo(opened, two, 'far', ['g'])
        await announced()
        const running = one.endpoint.group('g').call('wait', { ms: 20_000 })
        await announced()
        await two.endpoint.close()
        const [outcome] = await running
        expect(outcome).toMatchObject({ status: 'error', error: expect.any(RpcDisconnectedError) })
      })
    })
  })
}
