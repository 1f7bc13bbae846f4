import {
  type ClientOptions,
  createClient,
  RpcConfigError,
  RpcDisconnectedError,
  RpcOverloadedError,
  RpcTimeoutError,
  RpcUncertainError,
} from '@flashrpc/core'
import {
  type BegunCall,
  createEndpoint,
  type IdempotencyOptions,
  memoryResultStore,
  type ResultStore,
} from '@flashrpc/core/server'
import { afterEach, describe, expect, test } from 'vitest'
import { UnrecordedAnswers } from '../src/server/unrecorded.js'
import { eventually, polled } from './support/eventually.js'
import { rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

interface Till {
  charge(params: { cents: number }): string
  report(params: { length: number }): string
}

const idempotencyKey = 'order-17'
const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** A store in memory with some of its functions replaced. */
function storeWith(parts: Partial<ResultStore>, ttlMs = 60 * 60_000): ResultStore {
  const memory = memoryResultStore({ ttlMs, maxEntries: 100_000 })
  return {
    id: 'the disk',
    ttlMs,
    begin: (key, fingerprint) => memory.begin(key, fingerprint),
    finish: (key, answer) => memory.finish(key, answer),
    release: (key) => memory.release?.(key),
    ...parts,
  }
}

class Scene {
  readonly charged: number[] = []
  readonly errors: unknown[] = []
  url = ''

  static async open(idempotency: IdempotencyOptions): Promise<Scene> {
    const scene = new Scene()
    const endpoint = createEndpoint<Till>({
      idempotency,
      onError: [(_, error) => scene.errors.push(error)],
      methods: {
        charge: ({ cents }) => {
          scene.charged.push(cents)
          return `paid ${cents}`
        },
        report: ({ length }) => {
          scene.charged.push(length)
          return 'x'.repeat(length)
        },
      },
    })
    opened.push(() => endpoint.close())
    scene.url = (await endpoint.listen()).url
    return scene
  }

  client() {
    const client = createClient<Till>({ url: this.url } as ClientOptions<
      Record<never, never>,
      Till
    >)
    opened.push(() => client.close())
    return client
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => {})
}

describe('a store that is none', () => {
  test.each<[string, Partial<ResultStore>, RegExp]>([
    ['has a ttlMs of 0', { ttlMs: 0 }, /"the disk" must have a ttlMs above 0.* It is 0/],
    ['has a ttlMs below 0', { ttlMs: -1 }, /"the disk" must have a ttlMs above 0.* It is -1/],
    ['has a ttlMs that is no number', { ttlMs: '1 h' as never }, /"the disk".*ttlMs.*1 h/],
    ['has no end to its ttlMs', { ttlMs: Number.POSITIVE_INFINITY }, /"the disk".*ttlMs.*Infinity/],
    ['has a ttlMs that is NaN', { ttlMs: Number.NaN }, /"the disk".*ttlMs.*NaN/],
    ['has no id', { id: '' }, /id is text of 1 to 1024 characters/],
    ['has an id that is no text', { id: 7 as never }, /id is text of 1 to 1024 characters/],
    ['has a long id', { id: 'x'.repeat(1_025) }, /"x{100}".*id is text/],
    ['has no finish', { finish: undefined as never }, /must be a ResultStore/],
    ['has a release that is none', { release: true as never }, /"the disk".*release/],
  ])('because it %s, is refused where it is written', (_, parts, message) => {
    const idempotency = { store: storeWith(parts) }
    const make = () =>
      createEndpoint<{ ping(): string }>({ idempotency, methods: { ping: () => 'pong' } })
    expect(make).toThrow(RpcConfigError)
    expect(make).toThrow(message)
  })

  test('for the time that it may take is refused where it is written', () => {
    const idempotency = { store: storeWith({}), storeTimeoutMs: 0 }
    const make = () =>
      createEndpoint<{ ping(): string }>({ idempotency, methods: { ping: () => 'pong' } })
    expect(make).toThrow(/idempotency\.storeTimeoutMs/)
  })
})

describe('begin()', () => {
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['text', 'new'],
    ['another state', { state: 'begun', fingerprint: 'a' }],
    ['no fingerprint', { state: 'running' }],
    ['a fingerprint that is none', { state: 'unknown', fingerprint: 7 }],
    ['no answer', { state: 'done', fingerprint: 'a' }],
    ['an answer that is none', { state: 'done', fingerprint: 'a', answer: { paid: true } }],
  ])('that answers %s runs nothing, and onError learns which store it is', async (_, answer) => {
    const scene = await Scene.open({ store: storeWith({ begin: () => answer as BegunCall }) })
    await using peer = await rawClient(scene.url)
    const params = { cents: 1 }
    const rpc = { key: idempotencyKey }
    peer.send({ jsonrpc: '2.0', id: 1, method: 'charge', params, rpc })
    expect(await peer.nextJson()).toMatchObject({
      id: 1,
      error: { code: -32000, message: expect.stringContaining('"charge" was not run') },
      rpc: { ran: false },
    })
    expect(scene.charged).toStrictEqual([])
    expect(scene.errors[0]).toBeInstanceOf(RpcConfigError)
    expect(String(scene.errors[0])).toMatch(/idempotency\.store "the disk" answered begin\(\) with/)
    // No other call is affected.
    expect(await scene.client().other.charge({ cents: 2 })).toBe('paid 2')
  })

  test.each<[string, ResultStore['begin']]>([
    [
      'throws',
      () => {
        throw new Error('No space')
      },
    ],
    ['rejects', () => Promise.reject(new Error('No space'))],
    ['rejects with what is no error', () => Promise.reject('No space')],
    [
      'gives what can’t be awaited',
      () =>
        ({
          // biome-ignore lint/suspicious/noThenProperty: it is what is tested
          get then() {
            throw new Error('No space')
          },
        }) as never,
    ],
  ])('that %s runs nothing, and onError learns which store it is', async (_, begin) => {
    const scene = await Scene.open({ store: storeWith({ begin }) })
    const error = await rejection(scene.client().other.charge({ cents: 1 }, { idempotencyKey }))
    expect(error).toBeInstanceOf(RpcDisconnectedError)
    expect(error).toMatchObject({ outcome: 'not-received' })
    expect(String(error)).not.toContain('No space')
    expect(scene.charged).toStrictEqual([])
    expect(String(scene.errors[0])).toMatch(
      /idempotency\.store "the disk" failed in begin\(\): .*No space/,
    )
  })

  test('that is full is told so, with its name', async () => {
    const begin = () => {
      throw new RpcOverloadedError('No more rows')
    }
    const scene = await Scene.open({ store: storeWith({ begin }) })
    const error = await rejection(scene.client().other.charge({ cents: 1 }, { idempotencyKey }))
    expect(error).toBeInstanceOf(RpcOverloadedError)
    expect(error).toMatchObject({ outcome: 'not-received' })
    expect(scene.errors).toMatchObject([
      { code: -32003, message: expect.stringMatching(/"the disk".*No more rows/) },
    ])
  })

  test('that never answers holds up its call for so long, which is known not to have run', async () => {
    const store = storeWith({ begin: () => never<BegunCall>() })
    const scene = await Scene.open({ store, storeTimeoutMs: 100 })
    const client = scene.client()
    const error = await rejection(client.other.charge({ cents: 1 }, { idempotencyKey }))
    expect(error).toBeInstanceOf(RpcTimeoutError)
    expect(error).toMatchObject({ outcome: 'not-received', method: 'charge' })
    expect(String(error)).toContain('"charge" was not run')
    expect(scene.charged).toStrictEqual([])
    expect(String(scene.errors[0])).toContain(
      'idempotency.store "the disk" did not answer begin() within 100 ms',
    )
    expect(await client.other.charge({ cents: 2 })).toBe('paid 2')
  })

  test('that answers too late runs nothing either, and its key runs when it comes again', async () => {
    const memory = memoryResultStore()
    const late: (() => void)[] = []
    let isSlow = true
    const store = storeWith({
      begin: async (key, fingerprint) => {
        const begun = await memory.begin(key, fingerprint)
        if (isSlow) await new Promise<void>((resolve) => late.push(resolve))
        return begun
      },
      finish: (key, answer) => memory.finish(key, answer),
      release: (key) => memory.release?.(key),
    })
    const scene = await Scene.open({ store, storeTimeoutMs: 100 })
    const client = scene.client()
    const charge = () => client.other.charge({ cents: 1 }, { idempotencyKey })
    expect(await rejection(charge())).toMatchObject({ outcome: 'not-received' })
    isSlow = false
    const again = charge()
    late[0]?.()
    expect(await again).toBe('paid 1')
    expect(await charge()).toBe('paid 1')
    expect(scene.charged).toStrictEqual([1])
  })
})

describe('finish()', () => {
  const failures: [string, () => Promise<void>, RegExp][] = [
    ['fails', () => Promise.reject(new Error('No space')), /failed in finish\(\): No space/],
    ['never answers', () => never<void>(), /did not answer finish\(\) within 100 ms/],
  ]

  test.each(failures)(
    'that %s costs no answer, and onError learns which store it is',
    async (_, finish, told) => {
      const scene = await Scene.open({ store: storeWith({ finish }), storeTimeoutMs: 100 })
      for (let time = 0; time < 3; time++) {
        const client = scene.client()
        expect(await client.other.charge({ cents: 1 }, { idempotencyKey })).toBe('paid 1')
      }
      const other = rejection(scene.client().other.charge({ cents: 2 }, { idempotencyKey }))
      expect(await other).toMatchObject({ code: -32011 })
      expect(scene.charged).toStrictEqual([1])
      expect(scene.errors).toHaveLength(1)
      expect(String(scene.errors[0])).toMatch(told)
      expect(String(scene.errors[0])).toContain('idempotency.store "the disk"')
    },
  )

  test('that fails for a while records the answers that are missing when it works again', async () => {
    const memory = memoryResultStore()
    let isFailing = true
    const recorded: string[] = []
    const store = storeWith({
      begin: (key, fingerprint) => memory.begin(key, fingerprint),
      finish: async (key, answer) => {
        if (isFailing) throw new Error('No space')
        recorded.push(key)
        await memory.finish(key, answer)
      },
    })
    const scene = await Scene.open({ store })
    const client = scene.client()
    const charge = (cents: number) =>
      client.other.charge({ cents }, { idempotencyKey: `order-${cents}` })
    for (const cents of [1, 2, 3]) await charge(cents)
    isFailing = false
    await charge(4)
    const keyOf = (cents: number) => JSON.stringify(['', `order-${cents}`])
    await polled(() => recorded).toStrictEqual([4, 1, 2, 3].map(keyOf))
    // Another server that shares the store knows them, too.
    const another = await Scene.open({ store })
    for (const cents of [1, 2, 3, 4]) {
      const again = another.client().other.charge({ cents }, { idempotencyKey: `order-${cents}` })
      expect(await again).toBe(`paid ${cents}`)
    }
    expect(another.charged).toStrictEqual([])
  })

  test('that fails leaves no more answers in memory than so many characters', async () => {
    const finish = () => Promise.reject(new Error('No space'))
    const scene = await Scene.open({
      store: storeWith({ finish }),
      maxAnswerLength: 8 * 1024 * 1024,
    })
    const client = scene.client()
    const length = 900_000
    const report = (n: number) => client.other.report({ length }, { idempotencyKey: `report-${n}` })
    for (let n = 0; n < 25; n++) expect(await report(n)).toHaveLength(length)
    expect(await report(0)).toHaveLength(length)
    // There was no room for the answer: it is only known that the call ran.
    expect(await rejection(report(24))).toBeInstanceOf(RpcUncertainError)
    expect(scene.charged).toHaveLength(25)
  }, 20_000)

  test('that fails leaves no more answers in memory than so many; then calls with new keys are refused', async () => {
    const finish = () => Promise.reject(new Error('No space'))
    const scene = await Scene.open({ store: storeWith({ finish }) })
    const client = scene.client()
    const charge = (n: number) =>
      client.other.charge({ cents: n }, { idempotencyKey: `order-${n}` })
    for (let n = 0; n < 10_000; n += 200) {
      await Promise.all(Array.from({ length: 200 }, (_, i) => charge(n + i)))
    }
    scene.errors.length = 0
    const error = await rejection(charge(10_000))
    expect(error).toBeInstanceOf(RpcOverloadedError)
    expect(error).toMatchObject({ outcome: 'not-received' })
    expect(String(scene.errors[0])).toMatch(/"the disk" has not recorded 10000 answers/)
    // Earlier answers are still kept.
    expect(await charge(0)).toBe('paid 0')
    expect(scene.charged).toHaveLength(10_000)
  }, 30_000)

  test('that fails leaves nothing in memory for longer than the store was to keep it', async () => {
    const ttlMs = 1_000
    let isFailing = true
    const begun = new Set<string>()
    const store = storeWith(
      {
        // After its time it forgets keys without an answer, too.
        begin: (key) => {
          setTimeout(() => begun.delete(key), ttlMs)
          if (begun.has(key)) return { state: 'unknown', fingerprint: 'a' }
          begun.add(key)
          return { state: 'new' }
        },
        finish: () => (isFailing ? Promise.reject(new Error('No space')) : undefined),
      },
      ttlMs,
    )
    const scene = await Scene.open({ store })
    const client = scene.client()
    const charge = () => client.other.charge({ cents: 1 }, { idempotencyKey })
    await charge()
    await charge()
    expect(scene.charged).toStrictEqual([1])
    isFailing = false
    await eventually(async () => {
      expect(await charge()).toBe('paid 1')
      expect(scene.charged).toStrictEqual([1, 1])
    })
  })
})

describe('release()', () => {
  test('that fails is told with the name of the store, and harms nobody', async () => {
    let letBegin: (() => void) | undefined
    const memory = memoryResultStore()
    const store = storeWith({
      begin: async (key, fingerprint) => {
        const begun = await memory.begin(key, fingerprint)
        if (key.includes('held')) await new Promise<void>((resolve) => (letBegin = resolve))
        return begun
      },
      finish: (key, answer) => memory.finish(key, answer),
      release: () => Promise.reject(new Error('No space')),
    })
    const scene = await Scene.open({ store })
    const client = scene.client()
    const giveUp = new AbortController()
    const { signal } = giveUp
    const held = rejection(client.other.charge({ cents: 1 }, { idempotencyKey: 'held', signal }))
    await polled(() => letBegin).toBeDefined()
    giveUp.abort()
    await held
    // This call arrives after the cancellation.
    expect(await client.other.charge({ cents: 2 }, { idempotencyKey })).toBe('paid 2')
    letBegin?.()
    await polled(() => scene.errors.map(String)).toStrictEqual([
      'RpcError: idempotency.store "the disk" failed in release(): No space',
    ])
    expect(scene.charged).toStrictEqual([2])
  })
})

test('an answer that can’t be read is uncertain, and onError learns which store it is in', async () => {
  let fingerprint = ''
  const store = storeWith({
    begin: (_, print) => {
      fingerprint = print
      return { state: 'done', fingerprint, answer: '{"codec":"json","text":"{' }
    },
  })
  const scene = await Scene.open({ store })
  const error = await rejection(scene.client().other.charge({ cents: 1 }, { idempotencyKey }))
  expect(error).toBeInstanceOf(RpcUncertainError)
  expect(scene.errors[0]).toBeInstanceOf(RpcConfigError)
  expect(String(scene.errors[0])).toMatch(/"the disk" has an answer that can't be read/)
})

test('answers that are not recorded are gone after their time, where no call comes any more', async () => {
  const unrecorded = new UnrecordedAnswers(50)
  unrecorded.add('a', 'print', 'x'.repeat(1_000), 'short')
  unrecorded.add('a', 'print', 'y'.repeat(500), 'short')
  expect([unrecorded.size, unrecorded.characters]).toStrictEqual([1, 501])
  unrecorded.add('b', 'print', 'z'.repeat(17 * 1024 * 1024), 'short')
  expect(unrecorded.get('b')).toMatchObject({ record: 'short' })
  expect([unrecorded.size, unrecorded.characters]).toStrictEqual([2, 507])
  await polled(() => [unrecorded.size, unrecorded.characters]).toStrictEqual([0, 0])
})
