import { once } from 'node:events'
import { createClient } from '@flashrpc/core'
import type { PresenceEvent } from '@flashrpc/core/cluster'
import { natsEngine } from '@flashrpc/nats'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EngineServer } from '../../../scripts/engine-servers/engine-server.js'
import { natsProgram, startNats } from '../../../scripts/engine-servers/nats-server.js'
import { chat, startNodes } from '../../core/test/support/cluster-of.js'
import { eventually } from '../../core/test/support/eventually.js'
import { forkProgram } from '../../core/test/support/fork-program.js'
import type { ChatProgramOptions, ChatProgramReady } from './support/chat-program.js'

const why = natsProgram.missing ? ` (skipped: ${natsProgram.missing})` : ''
const GROUP = 'room'
/** Longer than any test: whoever waits for it fails. */
const NEVER_MS = 300_000

type Finished = (end: () => Promise<void>) => void

describe.skipIf(natsProgram.missing)(
  `group calls to processes that end or stand still${why}`,
  () => {
    let nats: EngineServer
    beforeAll(async () => {
      nats = await startNats()
    })
    afterAll(() => nats[Symbol.asyncDispose]())

    let apps = 0

    /** A cluster of its own: the caller is a node in this process, the others are processes. */
    async function begin(finished: Finished, graceMs = 300) {
      const ends: (() => unknown)[] = []
      finished(async () => {
        for (const end of ends.reverse()) await end()
      })
      const { address: servers } = nats
      const app = `killed-${++apps}`
      const [caller] = await startNodes(ends, [natsEngine({ servers })], { app, graceMs })
      if (!caller) throw new Error('no node was started')
      await caller.cluster.ready()
      const group = caller.endpoint.group(GROUP)

      /** Starts a node in a process of its own. */
      async function start(name: string) {
        const options: ChatProgramOptions = { servers, app, name, graceMs }
        const url = new URL('./support/chat-program.ts', import.meta.url)
        const child = forkProgram(url, { args: [JSON.stringify(options)] })
        ends.push(() => child.kill('SIGKILL'))
        const [told] = (await once(child, 'message')) as [ChatProgramReady]
        return { child, ...told }
      }

      /** Connects a client, which is in the group. Its calls `wait` go on until they are released. */
      async function join(url: string) {
        const waiting: (() => void)[] = []
        const client = createClient(chat, {
          url,
          logger: false,
          methods: {
            tell: () => {},
            ask: ({ text }) => text,
            date: ({ ms }) => new Date(ms),
            bytes: ({ data }) => data,
            wait: () => new Promise<string>((resolve) => waiting.push(() => resolve('waited'))),
            fail: () => '',
          },
        })
        ends.push(() => client.close())
        await client.connect()
        await client.other.join({ group: GROUP })
        return waiting
      }

      /** Resolves when the caller finds so many members. */
      const found = (count: number) =>
        eventually(async () => expect(await group.count()).toEqual({ count, unreached: [] }))

      return { caller, group, start, join, found, node: caller.cluster.node }
    }

    /** What a watch of the group tells, from its state on. */
    function watch(
      { group }: Awaited<ReturnType<typeof begin>>,
      finished: Finished,
    ): readonly PresenceEvent[] {
      const told: PresenceEvent[] = []
      const over = new AbortController()
      finished(async () => over.abort())
      void (async () => {
        for await (const event of group.watch({ signal: over.signal })) told.push(event)
      })()
      return told
    }

    test.concurrent('1: the open targets of a node that is killed may have run, each once, and it leaves no ghosts', async ({
      onTestFinished,
    }) => {
      const scene = await begin(onTestFinished)
      const { caller, group, node } = scene
      const [b, c] = await Promise.all([scene.start('b'), scene.start('c')])
      const here = await scene.join(caller.url)
      const killed = [await scene.join(b.url), await scene.join(b.url)]
      const other = await scene.join(c.url)
      await scene.found(4)
      const told = watch(scene, onTestFinished)
      const call = group.call('wait', { ms: 0 }, { timeout: NEVER_MS })
      const all = [here, ...killed, other]
      await eventually(() => expect(all.map(({ length }) => length)).toEqual([1, 1, 1, 1]))
      await eventually(() => expect(told).toHaveLength(1))
      b.child.kill('SIGKILL')
      await eventually(() =>
        expect(told.slice(1)).toMatchObject([
          { type: 'leave', why: 'node-lost', member: { node: b.node } },
          { type: 'leave', why: 'node-lost', member: { node: b.node } },
        ]),
      )
      // The others are not harmed.
      for (const release of [...here, ...other]) release()
      const outcomes = await call
      expect(outcomes).toHaveLength(4)
      expect(outcomes[0]).toMatchObject({ status: 'ok', value: 'waited', node })
      const of = (id: string) => outcomes.filter((outcome) => outcome.node === id)
      expect(of(c.node)).toMatchObject([{ status: 'ok', value: 'waited' }])
      const lost = { status: 'error', error: { outcome: 'maybe-executed' } }
      expect(of(b.node)).toMatchObject([lost, lost])
      expect(await group.count()).toEqual({ count: 2, unreached: [] })
    })

    test.concurrent('2: a node that is killed before it has said whom it calls is one outcome, unreached', async ({
      onTestFinished,
    }) => {
      const scene = await begin(onTestFinished)
      const { caller, group, node } = scene
      const b = await scene.start('b')
      const here = await scene.join(caller.url)
      const killed = [await scene.join(b.url), await scene.join(b.url)]
      await scene.found(3)
      b.child.kill('SIGSTOP')
      const call = group.call('wait', { ms: 0 }, { timeout: NEVER_MS })
      await eventually(() => expect(here).toHaveLength(1))
      here[0]?.()
      b.child.kill('SIGKILL')
      const outcomes = await call
      expect(outcomes).toHaveLength(2)
      expect(outcomes).toMatchObject([
        { status: 'ok', node },
        { status: 'unreached', node: b.node, error: { outcome: 'maybe-executed' } },
      ])
      expect(killed).toEqual([[], []])
      // The next call does not wait for it.
      expect(await group.call('ask', { text: 'x' })).toMatchObject([{ status: 'ok', node }])
    })

    test.concurrent('3: a node is killed as it tells outcomes: each target has one, its value or maybe-executed', async ({
      onTestFinished,
    }) => {
      const scene = await begin(onTestFinished)
      const { group } = scene
      const b = await scene.start('b')
      const clients = [await scene.join(b.url), await scene.join(b.url), await scene.join(b.url)]
      await scene.found(3)
      const outcomes: unknown[] = []
      const call = (async () => {
        for await (const outcome of group.each('wait', { ms: 0 }, { timeout: NEVER_MS })) {
          outcomes.push(outcome)
          // The second may be on its way, or not; the third is open.
          if (outcomes.length > 1) continue
          clients[1]?.[0]?.()
          setImmediate(() => b.child.kill('SIGKILL'))
        }
      })()
      await eventually(() => expect(clients.map(({ length }) => length)).toEqual([1, 1, 1]))
      clients[0]?.[0]?.()
      await call
      const told = outcomes as { channelId: string; status: string; error?: { outcome: string } }[]
      expect(told).toHaveLength(3)
      expect(new Set(told.map(({ channelId }) => channelId)).size).toBe(3)
      expect(told[0]).toMatchObject({ status: 'ok', value: 'waited' })
      const lost = told.filter(({ status }) => status === 'error')
      expect(lost.length).toBeGreaterThanOrEqual(1)
      for (const { error } of lost) expect(error).toMatchObject({ outcome: 'maybe-executed' })
    })

    test.concurrent('4: a node that is asked to end gets no new calls, and answers those that it has; nobody waits for the grace', async ({
      onTestFinished,
    }) => {
      const scene = await begin(onTestFinished, NEVER_MS)
      const { caller, group, node } = scene
      const b = await scene.start('b')
      const there = await scene.join(b.url)
      await scene.found(1)
      const call = group.call('wait', { ms: 0 }, { timeout: NEVER_MS })
      await eventually(() => expect(there).toHaveLength(1))
      const here = await scene.join(caller.url)
      const exited = once(b.child, 'exit')
      b.child.kill('SIGTERM')
      await eventually(() =>
        expect(caller.cluster.nodes).toMatchObject([{ node }, { node: b.node, state: 'leaving' }]),
      )
      expect(await group.call('ask', { text: 'x' })).toMatchObject([{ status: 'ok', node }])
      expect(there).toHaveLength(1)
      there[0]?.()
      expect(await call).toMatchObject([{ status: 'ok', value: 'waited', node: b.node }])
      await exited
      await eventually(() => expect(caller.cluster.nodes).toMatchObject([{ node }]))
      expect(await group.count()).toEqual({ count: 1, unreached: [] })
      expect(here).toEqual([])
    })

    test.concurrent('5: a node that stands still for a moment loses nothing', async ({
      onTestFinished,
    }) => {
      const scene = await begin(onTestFinished, NEVER_MS)
      const { group, caller } = scene
      const b = await scene.start('b')
      const [here, there] = [await scene.join(caller.url), await scene.join(b.url)]
      await scene.found(2)
      b.child.kill('SIGSTOP')
      const call = group.call('wait', { ms: 0 }, { timeout: NEVER_MS })
      await eventually(() => expect(here).toHaveLength(1))
      here[0]?.()
      b.child.kill('SIGCONT')
      await eventually(() => expect(there).toHaveLength(1))
      there[0]?.()
      expect(await call).toMatchObject([
        { status: 'ok', value: 'waited' },
        { status: 'ok', value: 'waited', node: b.node },
      ])
    })

    test.concurrent('6: a node that stands still for too long is given up, learns it, and goes on in a new epoch', async ({
      onTestFinished,
    }) => {
      const scene = await begin(onTestFinished, NEVER_MS)
      const { group, caller } = scene
      const b = await scene.start('b')
      const there = await scene.join(b.url)
      await scene.found(1)
      const told = watch(scene, onTestFinished)
      await eventually(() => expect(told).toHaveLength(1))
      const call = group.call('wait', { ms: 0 }, { timeout: NEVER_MS })
      await eventually(() => expect(there).toHaveLength(1))
      b.child.kill('SIGSTOP')
      // After 5 s of silence.
      expect(await call).toMatchObject([
        { status: 'error', node: b.node, error: { outcome: 'maybe-executed' } },
      ])
      expect(await group.call('ask', { text: 'x' })).toEqual([])
      // Its answer comes too late.
      there[0]?.()
      b.child.kill('SIGCONT')
      await eventually(() =>
        expect(caller.cluster.nodes.find(({ isHere }) => !isHere)).toMatchObject({
          node: b.node,
          epoch: 2,
          state: 'up',
        }),
      )
      await scene.found(1)
      expect(await group.call('ask', { text: 'x' })).toMatchObject([
        { status: 'ok', value: 'x', node: b.node },
      ])
      // It was the one that stood still: it does not give up the others.
      expect(caller.cluster.nodes[0]).toMatchObject({ node: caller.cluster.node, epoch: 1 })
      await eventually(() => expect(told.at(-1)).toMatchObject({ type: 'join' }))
      expect(told.map((event) => ('why' in event ? event.why : 'state'))).toEqual([
        'state',
        'node-lost',
        'joined',
      ])
      expect(there).toHaveLength(1)
    })

    test.concurrent('21: a node that is killed and starts again under its name is another node', async ({
      onTestFinished,
    }) => {
      const scene = await begin(onTestFinished)
      const { group } = scene
      const before = await scene.start('b')
      const old = await scene.join(before.url)
      await scene.found(1)
      const told = watch(scene, onTestFinished)
      await eventually(() => expect(told).toHaveLength(1))
      const call = group.call('wait', { ms: 0 }, { timeout: NEVER_MS })
      await eventually(() => expect(old).toHaveLength(1))
      before.child.kill('SIGKILL')
      const after = await scene.start('b')
      await scene.join(after.url)
      expect(after.node).not.toBe(before.node)
      expect(await call).toMatchObject([
        { status: 'error', node: before.node, error: { outcome: 'maybe-executed' } },
      ])
      await scene.found(1)
      expect(await group.call('ask', { text: 'x' })).toMatchObject([
        { status: 'ok', value: 'x', node: after.node },
      ])
      expect((await group.members()).members).toMatchObject([{ node: after.node }])
      await eventually(() => expect(told).toHaveLength(3))
      expect(told.slice(1)).toMatchObject([
        { type: 'leave', why: 'node-lost', member: { node: before.node } },
        { type: 'join', member: { node: after.node } },
      ])
    })
  },
)
