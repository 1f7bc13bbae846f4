import {
  ErrorCode,
  type HandlerContext,
  RpcAbortedError,
  RpcDisconnectedError,
} from '@flashrpc/core'
import { describe, expect, test } from 'vitest'
import { polled } from '../support/eventually.js'
import { rejection } from '../support/rejection.js'
import { until } from '../support/until.js'
import { expectProgressEnds } from './progress-ends.js'
import { type Scene, twoTabs, worker } from './scene.js'

const never = () => new Promise<string>(() => {})

/** Waits until the server knows that a tab has a method. */
const mounted = (scene: Scene, method: 'confirm' | 'other' | 'hear') =>
  polled(() => scene.channel.has(method)).toBe(true)

describe('what the server calls', () => {
  test('is served by the tab that has it, as long as one has', async () => {
    const { scene, first, second } = await twoTabs()
    expect(scene.channel.has('confirm')).toBe(false)
    const changes: string[][] = []
    scene.channel.onMethods((methods) => changes.push([...methods].sort()))
    first.expose('confirm', ({ text }) => `first: ${text}`)
    second.expose('other', ({ text }) => `second: ${text}`)
    await mounted(scene, 'confirm')
    await mounted(scene, 'other')
    expect(await scene.channel.other.confirm({ text: 'Yes?' })).toBe('first: Yes?')
    expect(await scene.channel.other.other({ text: 'Yes?' })).toBe('second: Yes?')
    await second.close()
    await polled(() => scene.channel.has('other')).toBe(false)
    expect(scene.channel.has('confirm')).toBe(true)
    expect(changes.at(-2)).toEqual(['confirm', 'other'])
    expect(changes.at(-1)).toEqual(['confirm'])
  })

  test('goes to one of several that have it, and to another when that is closed', async () => {
    const { scene, first, second } = await twoTabs()
    first.expose('confirm', () => 'first')
    second.expose('confirm', () => 'second')
    await mounted(scene, 'confirm')
    const answer = await scene.channel.other.confirm({ text: 'Yes?' })
    const [asked, left] = answer === 'first' ? [first, 'second'] : [second, 'first']
    await asked.close()
    await polled(() => scene.channel.other.confirm({ text: 'Yes?' })).toBe(left)
  })

  test('that nobody has, is answered as a page answers that has not mounted it', async () => {
    const { scene } = await twoTabs()
    expect(await rejection(scene.channel.other.confirm({ text: 'Yes?' }))).toMatchObject({
      code: ErrorCode.methodNotFound,
    })
    const patient = scene.tab(worker(), { waitForMount: 2_000 })
    await patient.connect()
    const [, channel] = scene.endpoint.channels
    const asked = channel?.other.confirm({ text: 'Yes?' })
    patient.expose('confirm', () => 'late')
    expect(await asked).toBe('late')
  })

  test('may have run where its tab is closed meanwhile, and is cancelled where the server gives it up', async () => {
    const { scene, first, second } = await twoTabs()
    const signals: AbortSignal[] = []
    first.expose('confirm', (_, { signal }) => {
      signals.push(signal)
      return never()
    })
    await mounted(scene, 'confirm')
    const asked = rejection(scene.channel.other.confirm({ text: 'Yes?' }))
    await polled(() => signals.length).toBe(1)
    await first.close()
    expect(await asked).toBeInstanceOf(RpcDisconnectedError)
    expect(await asked).toMatchObject({ outcome: 'maybe-executed', method: 'confirm' })
    second.expose('confirm', (_, { signal }) => {
      signals.push(signal)
      return never()
    })
    await mounted(scene, 'confirm')
    const givingUp = new AbortController()
    const { signal } = givingUp
    const givenUp = rejection(scene.channel.other.confirm({ text: 'Yes?' }, { signal }))
    await polled(() => signals.length).toBe(2)
    givingUp.abort()
    expect(await givenUp).toBeInstanceOf(RpcAbortedError)
    await polled(() => signals[1]?.aborted).toBe(true)
  })

  test('tells no progress after its end, or after it was cancelled', async () => {
    const { scene, first } = await twoTabs()
    const { other } = scene.channel
    await expectProgressEnds<string>({
      result: '',
      serve: (handler) => {
        first.expose('confirm', ((_: unknown, context: HandlerContext) =>
          handler(context)) as never)
        return mounted(scene, 'confirm')
      },
      call: (options) => other.confirm({ text: 'a' }, options),
      callAgain: async () => {
        first.expose('other', () => 'last')
        await mounted(scene, 'other')
        expect(await other.other({ text: '' })).toBe('last')
      },
    })
  })

  test('goes on in its tab while the connection is lost and comes back', async () => {
    const { scene, first } = await twoTabs()
    let answer = (_: string) => {}
    first.expose('confirm', () => new Promise<string>((resolve) => (answer = resolve)))
    await mounted(scene, 'confirm')
    const asked = scene.channel.other.confirm({ text: 'Yes?' })
    await polled(() => scene.channel.isConnected).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 20))
    scene.proxy.cut()
    await until(first, 'reconnecting')
    answer('yes')
    expect(await asked).toBe('yes')
  })

  test('a notification reaches every tab that has it, in order', async () => {
    const { scene, shared, first, second } = await twoTabs()
    const third = scene.tab(shared)
    await third.connect()
    const heard: Record<string, number[]> = { first: [], second: [] }
    first.expose('hear', ({ n }) => void heard.first?.push(n))
    await mounted(scene, 'hear')
    second.expose('hear', ({ n }) => void heard.second?.push(n))
    await new Promise((resolve) => setTimeout(resolve, 20))
    const numbers = Array.from({ length: 100 }, (_, n) => n)
    for (const n of numbers) void scene.channel.notify('hear', { n })
    await polled(() => heard).toEqual({ first: numbers, second: numbers })
  })
})
