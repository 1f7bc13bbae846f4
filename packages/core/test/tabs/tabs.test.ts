import { RpcDisconnectedError } from '@flashrpc/core'
import { RejectUpgrade } from '@flashrpc/core/server'
import { describe, expect, test } from 'vitest'
import { polled } from '../support/eventually.js'
import { rejection } from '../support/rejection.js'
import { until } from '../support/until.js'
import { Scene, twoTabs, worker } from './scene.js'

describe('tabs', () => {
  test('share one connection, and its session, latency and end', async () => {
    const { scene, shared, first, second } = await twoTabs()
    expect(scene.endpoint.channels.size).toBe(1)
    expect(first.state).toMatchObject({
      status: 'connected',
      sessionId: scene.channel.id,
      resumed: false,
    })
    expect(second.state.sessionId).toBe(scene.channel.id)
    expect(
      await Promise.all([first.other.add({ a: 1, b: 2 }), second.other.add({ a: 3, b: 4 })]),
    ).toEqual([3, 7])
    const third = scene.tab(shared)
    expect(await third.other.add({ a: 5, b: 6 })).toBe(11)
    expect(scene.endpoint.channels.size).toBe(1)
  })

  test('closing one never cuts the others', async () => {
    const { scene, first, second } = await twoTabs()
    const items: number[] = []
    const counting = (async () => {
      for await (const n of second.stream('count', { upTo: 200 })) items.push(n)
    })()
    const cut = rejection(first.other.wait({ name: 'first' }))
    const kept = second.other.wait({ name: 'second' })
    await polled(() => [...scene.ran].sort()).toEqual(['first', 'second'])
    await first.close()
    expect(await cut).toMatchObject({ name: 'RpcDisconnectedError', outcome: 'maybe-executed' })
    await polled(() => scene.aborted).toEqual(['first'])
    scene.finish('second')
    expect(await kept).toBe('second is done')
    await counting
    expect(items).toHaveLength(200)
    expect(second.state.status).toBe('connected')
  })

  test('the last one takes the connection along, and the next one has another', async () => {
    const { scene, shared, first, second } = await twoTabs()
    await first.close()
    await second.close()
    await polled(() => scene.endpoint.channels.size).toBe(0)
    const third = scene.tab(shared)
    expect(await third.other.add({ a: 1, b: 1 })).toBe(2)
    expect(scene.endpoint.channels.size).toBe(1)
  })
})

describe('the state of each tab', () => {
  test('is that of the connection, and its calls go on in the session', async () => {
    const { scene, first, second } = await twoTabs()
    const connects: string[] = []
    const third = scene.tab(worker(), {
      onConnect: [() => connects.push('connect')],
      onDisconnect: [() => connects.push('disconnect')],
    })
    await third.connect()
    const { sessionId } = first.state
    const waiting = [first, second, third].map((tab, n) => tab.other.wait({ name: `call ${n}` }))
    await polled(() => scene.ran).toHaveLength(3)
    const back = [first, second, third].map((tab) => until(tab, 'reconnecting'))
    scene.proxy.cut()
    for (const state of await Promise.all(back)) expect(state.inFlight).toBe(1)
    const queued = first.other.add({ a: 1, b: 2 })
    for (const n of [0, 1, 2]) scene.finish(`call ${n}`)
    expect(await Promise.all(waiting)).toEqual([
      'call 0 is done',
      'call 1 is done',
      'call 2 is done',
    ])
    expect(await queued).toBe(3)
    expect(first.state).toMatchObject({ status: 'connected', resumed: true, sessionId })
    expect(second.state).toMatchObject({ status: 'connected', resumed: true, sessionId })
    expect(connects).toEqual(['connect'])
  })

  test('tells how long the next attempt is waited for, and why', async () => {
    const { scene, first } = await twoTabs(
      {},
      { retry: { minDelayMs: 60_000, maxDelayMs: 60_000 } },
    )
    await scene.proxy.close()
    await polled(() => first.state.retryAt).not.toBeNull()
    const { status, lastError, retryAt } = first.state
    expect(status).toBe('reconnecting')
    expect(lastError).toBeInstanceOf(RpcDisconnectedError)
    expect(lastError?.message).toMatch(/connection was lost/)
    expect(retryAt).toBeGreaterThan(Date.now())
    expect(await rejection(first.other.add({ a: 1, b: 2 }, { timeout: 1 }))).toMatchObject({
      message: expect.stringMatching(
        /^"add" timed out after 1 ms: it was not sent; the connection was lost \(1006\) \d+ m?s ago$/,
      ),
      cause: lastError,
    })
  })

  test('tells a call why there was never a connection', async () => {
    const scene = await Scene.open()
    await scene.proxy.close()
    const tab = scene.tab(worker(), { retry: { minDelayMs: 5 } })
    await polled(() => tab.state.lastError?.message).toMatch(/ECONNREFUSED/)
    expect(await rejection(tab.other.add({ a: 1, b: 2 }, { timeout: 1 }))).toMatchObject({
      message: expect.stringMatching(
        /^"add" timed out after 1 ms: never connected \(ws:.*ECONNREFUSED 127\.0\.0\.1:\d+\. Is the server running\?\)$/,
      ),
    })
  })

  test('says so where the server begins another session, and calls it did not answer may have run', async () => {
    const scene = await Scene.open()
    const connects: string[] = []
    const tab = scene.tab(worker(), {
      onConnect: [() => connects.push('connect')],
      onDisconnect: [(_, { code }) => connects.push(`disconnect ${code}`)],
    })
    await tab.connect()
    const before = tab.state.sessionId
    const lost = rejection(tab.other.wait({ name: 'lost' }))
    const items: number[] = []
    const stream = rejection(
      (async () => {
        for await (const n of tab.stream('count', { upTo: 1e6 })) items.push(n)
      })(),
    )
    await polled(() => scene.ran).toEqual(['lost'])
    const back = until(tab, 'reconnecting')
    await scene.endpoint.close()
    await back
    await scene.start()
    expect(await lost).toBeInstanceOf(RpcDisconnectedError)
    expect(await lost).toMatchObject({ outcome: 'maybe-executed', method: 'wait' })
    expect(await stream).toBeInstanceOf(RpcDisconnectedError)
    expect(await tab.other.add({ a: 1, b: 2 })).toBe(3)
    expect(tab.state).toMatchObject({
      status: 'connected',
      resumed: false,
      sessionId: scene.channel.id,
    })
    expect(tab.state.sessionId).not.toBe(before)
    expect(connects).toEqual(['connect', 'disconnect 1006', 'connect'])
  })

  test('stops where the server does not know who it is, and connect() asks again', async () => {
    let isKnown = false
    const scene = await Scene.open({
      authenticate: () => {
        if (!isKnown) throw new RejectUpgrade(401, 'Who are you?')
        return {}
      },
    })
    const shared = worker()
    const first = scene.tab(shared)
    const second = scene.tab(shared)
    for (const tab of [first, second])
      expect((await until(tab, 'unauthorized')).lastError?.message).toMatch(/401/)
    expect(await rejection(first.other.add({ a: 1, b: 2 }))).toMatchObject({
      outcome: 'not-sent',
    })
    isKnown = true
    await first.connect()
    expect(await first.other.add({ a: 1, b: 2 })).toBe(3)
    await second.connect()
    expect(scene.endpoint.channels.size).toBe(1)
  })

  test('is connected at once where the user asks for it', async () => {
    const { scene, first, second } = await twoTabs(
      {},
      { retry: { minDelayMs: 60_000, maxDelayMs: 60_000 } },
    )
    scene.proxy.cut()
    await polled(() => first.state.retryAt).not.toBeNull()
    first.reconnect()
    await Promise.all([until(first, 'connected'), until(second, 'connected')])
    expect(await second.other.add({ a: 1, b: 2 })).toBe(3)
  })
})
