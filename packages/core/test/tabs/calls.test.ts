import { setTimeout as sleep } from 'node:timers/promises'
import {
  ErrorCode,
  type Middleware,
  RpcAbortedError,
  RpcConfigError,
  RpcOverloadedError,
} from '@flashrpc/core'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { memoryResultStore } from '@flashrpc/core/server'
import { describe, expect, test } from 'vitest'
import { polled } from '../support/eventually.js'
import { rejection } from '../support/rejection.js'
import { until } from '../support/until.js'
import { watchGroup } from '../support/watched-group.js'
import { expectProgressEnds } from './progress-ends.js'
import { Scene, twoTabs, worker } from './scene.js'

describe('what a tab calls', () => {
  test('is not lost by a server that leaves: it runs at the next one', async () => {
    const { scene, first, second } = await twoTabs()
    const running = first.other.wait({ name: 'running' })
    await polled(() => scene.ran).toEqual(['running'])
    const closing = scene.endpoint.close({ drain: 5_000 })
    await sleep(20)
    const later = [first, second].map((tab) => tab.other.add({ a: 1, b: 2 }))
    scene.finish('running')
    expect(await running).toBe('running is done')
    await closing
    await scene.start()
    expect(await Promise.all(later)).toEqual([3, 3])
  })

  test('fails as it would over a connection of its own', async () => {
    const { scene, first } = await twoTabs({ limits: { running: 2, message: 100_000 } })
    const errors = {
      told: await rejection(first.other.fail({ code: 4004 })),
      unknown: await rejection(first.call(...(['nothing'] as unknown as ['about']))),
      large: await rejection(first.other.echo({ value: 'x'.repeat(200_000) })),
      keyless: await rejection(first.other.add({ a: 1, b: 2 }, { idempotencyKey: 'one' })),
    }
    expect(errors.told).toMatchObject({
      name: 'RpcError',
      code: 4004,
      message: 'It failed',
      data: { code: 4004 },
    })
    expect(errors.unknown).toMatchObject({
      code: ErrorCode.methodNotFound,
      message:
        'Method not found: "nothing". Correct the name, unless the other side is older and lacks it',
    })
    expect(errors.large).toBeInstanceOf(RpcOverloadedError)
    expect(errors.large).toMatchObject({ outcome: 'not-received' })
    expect(errors.keyless).toBeInstanceOf(RpcConfigError)
    const controller = new AbortController()
    const waiting = ['a', 'b'].map((name) =>
      rejection(first.other.wait({ name }, { signal: controller.signal })),
    )
    await polled(() => [...scene.ran].sort()).toEqual(['a', 'b'])
    const over = await rejection(first.other.add({ a: 1, b: 2 }))
    expect(over).toBeInstanceOf(RpcOverloadedError)
    expect(over).toMatchObject({ outcome: 'not-received' })
    controller.abort()
    for (const aborted of await Promise.all(waiting))
      expect(aborted).toBeInstanceOf(RpcAbortedError)
    await polled(() => scene.aborted).toEqual(['a', 'b'])
  })

  test('takes its progress, its texts and its items along', async () => {
    const tracing: Middleware = (call, next) => {
      if (call.direction === 'out') call.meta.trace = 'abc'
      return next()
    }
    const scene = await Scene.open()
    const tab = scene.tab(worker(), { use: tracing })
    const told: number[] = []
    const options = { onProgress: (n: number) => told.push(n) }
    expect(await tab.other.steps({ upTo: 3 }, options as object)).toBe(3)
    expect(told.at(-1)).toBe(3)
    expect(await tab.call('about')).toEqual({ timeLeft: null, meta: { trace: 'abc' } })
    expect(await tab.call('sum', undefined, { input: [1, 2, 3] })).toBe(6)
    const items: number[] = []
    for await (const n of tab.stream('count', { upTo: 1_000 })) items.push(n)
    expect(items).toHaveLength(1_000)
  })

  test('tells no progress after its end, or after it was cancelled', async () => {
    const { scene, first } = await twoTabs()
    await expectProgressEnds<number>({
      result: 0,
      serve: (handler) => {
        scene.serveSteps = handler
      },
      call: (options) => first.other.steps({ upTo: 1 }, options),
      callAgain: async () => expect(await first.other.add({ a: 1, b: 2 })).toBe(3),
    })
  })

  test('that is left at its source, where nobody takes its items any more', async () => {
    const { scene, first } = await twoTabs()
    for await (const n of first.stream('count', { upTo: 1e9 })) if (n === 50) break
    await polled(() => scene.aborted).toEqual(['count'])
  })

  test('takes its time along, and ends in it', async () => {
    const { scene, first } = await twoTabs()
    const { timeLeft } = await first.call('about', undefined, { timeout: 60_000 })
    expect(timeLeft).toBeGreaterThan(50_000)
    expect(timeLeft).toBeLessThanOrEqual(60_000)
    const thrown = await rejection(first.other.wait({ name: 'slow' }, { timeout: 50 }))
    expect(thrown).toMatchObject({ code: ErrorCode.timedOut })
    await polled(() => scene.aborted).toEqual(['slow'])
  })

  test('rpc.discover is answered by the server', async () => {
    const { first } = await twoTabs({ discover: true })
    const { methods } = (await first.call(
      ...(['rpc.discover'] as unknown as ['about']),
    )) as unknown as {
      methods: { name: string }[]
    }
    expect(methods.map(({ name }) => name)).toContain('add')
  })

  test('the members of a group are told by the server', async () => {
    const { scene, first } = await twoTabs({ presence: { allow: (group) => group === 'room' } })
    scene.channel.join('room', { info: 'Ada' })
    const watched = watchGroup(first, 'room')
    const infos = () => [...watched.members.values()].map(({ info }) => info)
    await polled(infos).toEqual(['Ada'])
    scene.channel.join('room', { info: 'Bob' })
    await polled(infos).toEqual(['Bob'])
    watched.stop()
    await polled(() => scene.channel.running).toBe(0)
    const refused = watchGroup(first, 'other')
    await polled(() => refused.error).toMatchObject({
      code: ErrorCode.unauthorized,
      message: expect.stringContaining('Not allowed to see who is in the group "other"'),
    })
  })

  test('runs once by its key, however often it is sent', async () => {
    const { scene, first, second } = await twoTabs({ idempotency: { store: memoryResultStore() } })
    const calls = [first, second].map((tab) =>
      tab.other.wait({ name: 'charge' }, { idempotencyKey: 'order-17' }),
    )
    await polled(() => scene.ran).toEqual(['charge'])
    await sleep(20)
    scene.finish('charge')
    expect(await Promise.all(calls)).toEqual(['charge is done', 'charge is done'])
    expect(scene.ran).toEqual(['charge'])
    const reused = await rejection(first.other.add({ a: 1, b: 2 }, { idempotencyKey: 'order-17' }))
    expect(reused).toMatchObject({ code: ErrorCode.keyReused })
  })

  test('is carried as the codec carries it', async () => {
    const codec = msgpackCodec
    const scene = await Scene.open({ codec })
    const tab = scene.tab(worker({ codec }), { codec })
    const value = new Map([['when', new Date(0)]])
    expect(await tab.other.echo({ value })).toEqual(value)
    const bytes = new Uint8Array([1, 2, 3])
    const { first } = await twoTabs()
    expect(await first.other.echo({ value: bytes })).toEqual(bytes)
  })

  test('goes nowhere where the tab has another codec than the worker', async () => {
    const scene = await Scene.open()
    const tab = scene.tab(worker(), { codec: msgpackCodec })
    expect((await until(tab, 'failed')).lastError?.message).toMatch(/Codec mismatch/)
  })
})
