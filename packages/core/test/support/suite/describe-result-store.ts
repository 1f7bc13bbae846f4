import { createClient } from '@flashrpc/core'
import { createEndpoint, type ResultStore } from '@flashrpc/core/server'
import { afterEach, describe, expect, test, vi } from 'vitest'

/** Keys of other tests are in the same store. */
let count = 0
function newKey(): string {
  return `${process.pid} ${Date.now()} ${++count}`
}

/** What every store of results does. */
export function describeResultStore(name: string, store: () => Promise<ResultStore>): void {
  describe(`${name}: a store of results`, () => {
    test('has an id, and a time for which it keeps keys', async () => {
      const { id, ttlMs } = await store()
      expect(id).toMatch(/^.{1,1024}$/)
      expect(ttlMs).toBeGreaterThan(0)
    })

    test('says that a key is new, that it runs, and which answer it has', async () => {
      const results = await store()
      const key = newKey()
      expect(await results.begin(key, 'f')).toStrictEqual({ state: 'new' })
      expect(await results.begin(key, 'f')).toStrictEqual({ state: 'running', fingerprint: 'f' })
      expect(await results.begin(key, 'g')).toStrictEqual({ state: 'running', fingerprint: 'f' })
      await results.finish(key, 'paid')
      const done = { state: 'done', fingerprint: 'f', answer: 'paid' }
      expect(await results.begin(key, 'f')).toStrictEqual(done)
      expect(await results.begin(key, 'g')).toStrictEqual(done)
    })

    test.each([
      ['nothing', ''],
      ['another alphabet', 'Größe 漢字 🙂 \u0000 "quoted" \n'],
      ['wildcards', '*.> $KV.x.? [a] {b}'],
      ['1,000 characters', 'k'.repeat(1_000)],
    ])('takes %s as a key and as an answer', async (_, text) => {
      const results = await store()
      const key = newKey() + text
      expect(await results.begin(key, 'f')).toStrictEqual({ state: 'new' })
      await results.finish(key, text)
      expect(await results.begin(key, 'f')).toMatchObject({ state: 'done', answer: text })
      expect(await results.begin(`${key} `, 'f')).toStrictEqual({ state: 'new' })
    })

    test('keeps an answer of 500 kB', async () => {
      const results = await store()
      const key = newKey()
      const answer = 'x'.repeat(500_000)
      await results.begin(key, 'f')
      await results.finish(key, answer)
      expect(await results.begin(key, 'f')).toStrictEqual({
        state: 'done',
        fingerprint: 'f',
        answer,
      })
    })

    test('lets one of many that come at once be new', async () => {
      const results = await store()
      const key = newKey()
      const begun = await Promise.all(Array.from({ length: 20 }, () => results.begin(key, 'f')))
      expect(begun.filter(({ state }) => state === 'new')).toHaveLength(1)
      expect(begun.filter(({ state }) => state === 'running')).toHaveLength(19)
    })

    test('takes an answer twice', async () => {
      const results = await store()
      const key = newKey()
      await results.begin(key, 'f')
      await results.finish(key, 'paid')
      await results.finish(key, 'paid')
      expect(await results.begin(key, 'f')).toMatchObject({ state: 'done', answer: 'paid' })
    })

    test('ignores the answer of a key that did not begin', async () => {
      const results = await store()
      const key = newKey()
      await results.finish(key, 'paid')
      expect(await results.begin(key, 'f')).toStrictEqual({ state: 'new' })
    })

    test('makes a key new again that is released, unless it has an answer', async () => {
      const results = await store()
      const key = newKey()
      await results.release?.(key)
      await results.begin(key, 'f')
      await results.release?.(key)
      expect(await results.begin(key, 'g')).toStrictEqual({ state: 'new' })
      expect(await results.begin(key, 'g')).toStrictEqual({ state: 'running', fingerprint: 'g' })
      await results.finish(key, 'paid')
      await results.release?.(key)
      expect(await results.begin(key, 'g')).toMatchObject({ state: 'done', answer: 'paid' })
    })
  })
}

interface Till {
  charge(params: { order: string }): string
}

/** Another process with a store, which has begun a key. */
export interface OtherProcess {
  kill(): Promise<void>
}

/**
 * What every store does that several processes share.
 *
 * @param store opens it once more.
 * @param process starts a process that opens it, and begins a call with the key.
 */
export function describeSharedStore(
  name: string,
  store: () => Promise<ResultStore>,
  process: (key: string) => Promise<OtherProcess>,
): void {
  describe(`${name}: a shared store of results`, () => {
    const ends: (() => unknown)[] = []

    afterEach(async () => {
      for (const end of ends.splice(0).reverse()) await end()
    })

    test('is the same to all', async () => {
      const [one, other] = [await store(), await store()]
      expect(one.id).toBe(other.id)
      const key = newKey()
      expect(await one.begin(key, 'f')).toStrictEqual({ state: 'new' })
      expect(await other.begin(key, 'f')).toStrictEqual({ state: 'running', fingerprint: 'f' })
      // Only the one that it began in can answer it, or release it.
      await other.finish(key, 'stolen')
      await other.release?.(key)
      expect(await other.begin(key, 'f')).toStrictEqual({ state: 'running', fingerprint: 'f' })
      await one.finish(key, 'paid')
      expect(await other.begin(key, 'f')).toMatchObject({ state: 'done', answer: 'paid' })
    })

    test('tells others the node of a cluster that a key runs at', async () => {
      const [one, other] = [await store(), await store()]
      const key = newKey()
      expect(await one.begin(key, 'f', undefined, 'n1')).toStrictEqual({ state: 'new' })
      const running = { state: 'running', fingerprint: 'f', node: 'n1' }
      expect(await other.begin(key, 'f', undefined, 'n2')).toStrictEqual(running)
      await one.finish(key, 'paid')
      expect(await other.begin(key, 'f')).toMatchObject({ state: 'done', answer: 'paid' })
    })

    test('lets one of two that race be new, in 100 races', async () => {
      const [one, other] = [await store(), await store()]
      const race = async () => {
        const key = newKey()
        const begun = await Promise.all([one.begin(key, 'f'), other.begin(key, 'f')])
        return begun.map(({ state }) => state).toSorted()
      }
      const races = await Promise.all(Array.from({ length: 100 }, race))
      expect(races).toStrictEqual(Array.from({ length: 100 }, () => ['new', 'running']))
    })

    test('runs a call that reaches two endpoints at once once', async () => {
      const charged: string[] = []
      const call = async () => {
        const endpoint = createEndpoint<Till>({
          idempotency: { store: await store() },
          methods: {
            charge: async ({ order }) => {
              charged.push(order)
              await new Promise((resolve) => setTimeout(resolve, 50))
              return `receipt ${charged.length} of ${order}`
            },
          },
        })
        ends.push(() => endpoint.close())
        const client = createClient<Till>({ url: (await endpoint.listen()).url })
        ends.push(() => client.close())
        return client
      }
      const clients = [await call(), await call()]
      const idempotencyKey = newKey()
      const answers = await Promise.all(
        clients.map((client) => client.call('charge', { order: 'a' }, { idempotencyKey })),
      )
      expect(answers).toStrictEqual(['receipt 1 of a', 'receipt 1 of a'])
      expect(charged).toStrictEqual(['a'])
    })

    test('says that it does not know of a key whose process was killed', async () => {
      const results = await store()
      const key = newKey()
      const other = await process(key)
      ends.push(() => other.kill())
      expect(await results.begin(key, 'f')).toStrictEqual({ state: 'running', fingerprint: 'f' })
      await other.kill()
      const isUnknown = async () => {
        expect(await results.begin(key, 'f')).toStrictEqual({ state: 'unknown', fingerprint: 'f' })
      }
      await vi.waitFor(isUnknown, { timeout: 10_000, interval: 50 })
      // It is never run again, whoever asks.
      expect(await (await store()).begin(key, 'f')).toMatchObject({ state: 'unknown' })
    })
  })
}
