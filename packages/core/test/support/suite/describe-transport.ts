import {
  type Channel,
  createChannel,
  RpcAbortedError,
  RpcDisconnectedError,
  RpcError,
  RpcTimeoutError,
  type SomeHandlers,
  type Transport,
} from '@flashrpc/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../eventually.js'
import { rejection } from '../rejection.js'
import { contract } from './contract.js'
import { count } from './serve.js'

type ClientSide = typeof contract.client
type ClientChannel = Channel<ClientSide, typeof contract.server>

/** Where the serving end runs: it answers each transport that is opened with `createSuiteMethods`. */
export interface Place {
  open(): Promise<Transport>
  close(): Promise<void>
}

/** What every transport has to hold to. */
export function describeTransport(name: string, create: () => Promise<Place>): void {
  describe(name, () => {
    let place: Place
    const opened: ClientChannel[] = []
    const notes: number[] = []

    const methods: SomeHandlers<ClientSide, ClientChannel> = {
      double: ({ n }) => 2 * n,
      descend: async ({ depth }, { channel }) =>
        depth === 0 ? 'bottom' : channel.other.descend({ depth: depth - 1 }),
      note: ({ n }) => void notes.push(n),
      hang: () => new Promise(() => {}),
      count: ({ upTo }) => count(upTo),
      view: { dialogs: { ask: ({ text }) => `${text}!` } },
    }

    const open = async (options: { timeout?: number } = {}): Promise<ClientChannel> => {
      const transport = await place.open()
      const channel = createChannel(contract, { side: 'client', transport, methods, ...options })
      opened.push(channel)
      return channel
    }

    beforeAll(async () => {
      place = await create()
    })

    afterEach(async () => {
      notes.length = 0
      await Promise.all(opened.splice(0).map((channel) => channel.close()))
    })

    afterAll(() => place.close())

    test('a call resolves to the value the handler returned', async () => {
      const { other } = await open()
      expect(await other.add({ a: 5, b: 10 })).toBe(15)
    })

    test('both sides call, also at once', async () => {
      const { other } = await open()
      const sums = await Promise.all([
        other.sumOfDoubles({ upTo: 10 }),
        other.add({ a: 1, b: 2 }),
        other.sumOfDoubles({ upTo: 100 }),
      ])
      expect(sums).toStrictEqual([110, 3, 10_100])
    })

    test('calls nest, back and forth, to a depth of 20', async () => {
      const { other } = await open()
      expect(await other.descend({ depth: 20 })).toBe('bottom')
    })

    test('a call that never ends delays no other', async () => {
      const { other } = await open()
      const hanging = other.hang({ key: crypto.randomUUID() })
      hanging.catch(() => {})
      expect(await other.add({ a: 1, b: 1 })).toBe(2)
    })

    test('methods of groups are called by their paths, with bytes, streams and validation', async () => {
      const channel = await open()
      const { files } = channel.other
      const bytes = Uint8Array.of(1, 2, 3)
      expect(await files.reverse({ bytes })).toStrictEqual(Uint8Array.of(3, 2, 1))
      expect(await channel.call('files.reverse', { bytes })).toStrictEqual(Uint8Array.of(3, 2, 1))
      expect(await files.lines.ask({ text: 'sure' })).toBe('sure!')
      const items: unknown[] = []
      for await (const n of files.lines.count({ upTo: 3 })) items.push(n)
      for await (const n of channel.stream('files.lines.count', { upTo: 2 })) items.push(n)
      for await (const text of files.lines.shout(undefined, { input: ['a', 'b'] })) items.push(text)
      expect(items).toStrictEqual([0, 1, 2, 0, 1, 'A', 'B'])
      const key = crypto.randomUUID()
      await files.lines.mark({ key })
      await channel.notify('files.lines.mark', { key })
      expect(await channel.other.fates({ key })).toStrictEqual(['marked', 'marked'])
      const wrong = await rejection(files.lines.ask({ text: 5 } as never))
      expect(wrong).toMatchObject({ code: -32602, method: 'files.lines.ask' })
    })

    test('500 calls at once each get their own answer', async () => {
      const { other } = await open()
      await other.add({ a: 0, b: 0 })
      const numbers = Array.from({ length: 500 }, (_, n) => n)
      const answers = await Promise.all(numbers.map((n) => other.add({ a: n, b: 1000 })))
      expect(answers).toStrictEqual(numbers.map((n) => n + 1000))
    })

    test('notifications arrive in their order, and before a later call', async () => {
      const { other } = await open()
      const numbers = Array.from({ length: 200 }, (_, n) => n)
      for (const n of numbers) void other.note({ n })
      expect(await other.notes()).toStrictEqual(numbers)
    })

    test('notifications of the other side arrive in their order, and before its answer', async () => {
      const { other } = await open()
      await other.tell({ times: 200 })
      expect(notes).toStrictEqual(Array.from({ length: 200 }, (_, n) => n))
    })

    test('an error keeps its code, its message and its data', async () => {
      const { other } = await open()
      const error = { code: 4004, message: 'No such report', data: { id: [1, 'ü', null] } }
      const thrown = await rejection(other.fail(error))
      expect(thrown).toBeInstanceOf(RpcError)
      expect(thrown).toMatchObject({ ...error, method: 'fail' })
    })

    test('large messages arrive whole', async () => {
      const { other } = await open()
      const message = 'ü'.repeat(200_000)
      expect(await rejection(other.fail({ code: 1, message, data: null }))).toHaveProperty(
        'message',
        message,
      )
    })

    test('a call times out, and its handler is told', async () => {
      const { other } = await open()
      const timedOut = async (timeout: number) => {
        const key = crypto.randomUUID()
        const thrown = await rejection(other.hang({ key }, { timeout }))
        expect(thrown).toBeInstanceOf(RpcTimeoutError)
        expect(thrown).toMatchObject({ outcome: 'maybe-executed', method: 'hang', code: -32001 })
        return key
      }
      let key = await timedOut(50)
      // On a busy machine, a call may be too late when it arrives. Then it does not run.
      for (let timeout = 400; timeout < 30_000; timeout *= 8) {
        if ((await other.fates({ key })).length > 0) break
        key = await timedOut(timeout)
      }
      await eventually(async () => {
        expect(await other.fates({ key })).toStrictEqual(['began', 'aborted'])
      })
    })

    test("the channel's timeout holds for calls that name none", async () => {
      const { other } = await open({ timeout: 50 })
      const thrown = await rejection(other.hang({ key: crypto.randomUUID() }))
      expect(thrown).toBeInstanceOf(RpcTimeoutError)
    })

    test('a call is aborted by its signal, and its handler is told', async () => {
      const key = crypto.randomUUID()
      const { other } = await open()
      const controller = new AbortController()
      const hanging = rejection(other.hang({ key }, { signal: controller.signal }))
      await eventually(async () => expect(await other.fates({ key })).toStrictEqual(['began']))
      const reason = new Error('No longer needed')
      controller.abort(reason)
      const thrown = await hanging
      expect(thrown).toBeInstanceOf(RpcAbortedError)
      expect(thrown).toMatchObject({ outcome: 'maybe-executed', cause: reason })
      await eventually(async () => {
        expect(await other.fates({ key })).toStrictEqual(['began', 'aborted'])
      })
    })

    test('a call with a signal that is aborted already is never sent', async () => {
      const key = crypto.randomUUID()
      const { other } = await open()
      const thrown = await rejection(other.hang({ key }, { signal: AbortSignal.abort() }))
      expect(thrown).toBeInstanceOf(RpcAbortedError)
      expect(thrown).toMatchObject({ outcome: 'not-sent' })
      expect(await other.fates({ key })).toStrictEqual([])
    })

    test("a stream's items come in their order, and then its end", async () => {
      const { other } = await open()
      const items = []
      for await (const n of other.count({ upTo: 500 })) items.push(n)
      expect(items).toStrictEqual(Array.from({ length: 500 }, (_, n) => n))
    })

    test('the other side takes a stream of this one', async () => {
      const { other } = await open()
      expect(await other.sumOfCount({ upTo: 100 })).toBe(4950)
    })

    test('leaving a stream ends it at its source', async () => {
      const key = crypto.randomUUID()
      const { other } = await open()
      for await (const n of other.count({ key })) if (n === 40) break
      await eventually(async () => expect(await other.fates({ key })).toStrictEqual(['aborted']))
    })

    test('a stream that nobody takes from delays no call', async () => {
      const { other } = await open()
      const stream = other.count({})
      await stream.next()
      for (let n = 0; n < 50; n++) expect(await other.add({ a: n, b: 1 })).toBe(n + 1)
      await stream.return(undefined)
    })

    test('items go along with a call, and end at their source when no more are wanted', async () => {
      const { other } = await open()
      expect(await other.sum({}, { input: count(300) })).toBe(44_850)
      let ended = 0
      const input = count(Number.POSITIVE_INFINITY, () => ended++)
      expect(await other.sum({ most: 3 }, { input })).toBe(3)
      await eventually(() => expect(ended).toBe(1))
    })

    test('items go both ways in one call', async () => {
      const { other } = await open()
      const shouted = []
      for await (const text of other.shout(undefined, { input: ['a', 'ü', 'c'] }))
        shouted.push(text)
      expect(shouted).toStrictEqual(['A', 'Ü', 'C'])
    })

    test('closing rejects the open calls of both sides, which may have run', async () => {
      const keys = { ours: crypto.randomUUID(), theirs: crypto.randomUUID() }
      const channel = await open()
      const { other } = await open()
      const hanging = rejection(channel.other.hang({ key: keys.ours }))
      void channel.other.askHang({ key: keys.theirs }).catch(() => {})
      await eventually(async () => {
        expect(await other.fates({ key: keys.ours })).toStrictEqual(['began'])
      })
      await channel.close()
      expect(channel.isConnected).toBe(false)
      const thrown = await hanging
      expect(thrown).toBeInstanceOf(RpcDisconnectedError)
      expect(thrown).toMatchObject({ outcome: 'maybe-executed', closeCode: 1000 })
      await eventually(async () => {
        expect(await other.fates({ key: keys.ours })).toStrictEqual(['began', 'aborted'])
        expect(await other.fates({ key: keys.theirs })).toStrictEqual(['true:maybe-executed'])
      })
    })

    test('closing by the other side rejects open calls, which may have run', async () => {
      const channel = await open()
      const hanging = rejection(channel.other.hang({ key: crypto.randomUUID() }))
      void channel.other.leave().catch(() => {})
      const thrown = await hanging
      expect(thrown).toBeInstanceOf(RpcDisconnectedError)
      expect(thrown).toMatchObject({ outcome: 'maybe-executed', closeCode: 1000 })
      expect(channel.isConnected).toBe(false)
    })

    test('a call after the end is never sent', async () => {
      const channel = await open()
      await channel.close()
      await channel.close()
      const thrown = await rejection(channel.other.add({ a: 1, b: 1 }))
      expect(thrown).toBeInstanceOf(RpcDisconnectedError)
      expect(thrown).toMatchObject({ outcome: 'not-sent', method: 'add' })
      expect(await rejection(channel.other.note({ n: 1 }))).toBeInstanceOf(RpcDisconnectedError)
    })
  })
}
