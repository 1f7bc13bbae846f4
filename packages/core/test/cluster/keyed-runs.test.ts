import { createClient, RpcUncertainError } from '@flashrpc/core'
import { createCluster, memoryEngines } from '@flashrpc/core/cluster'
import { createEndpoint, memoryResultStore, type ResultStore } from '@flashrpc/core/server'
import { describe, expect, test } from 'vitest'
import { eventually, polled } from '../support/eventually.js'
import { rejection } from '../support/rejection.js'

interface Till {
  charge(params: { cents: number }): Promise<string>
  /** Goes on until it is given up. */
  forget(): Promise<void>
}

const idempotencyKey = 'order-17'

/** Two nodes that share a store, and what they ran. */
class Scene {
  readonly #opened: (() => unknown)[] = []
  readonly charged: string[] = []
  readonly aborted: unknown[] = []
  /** Runs of `forget`. */
  readonly forgotten = { begun: 0, givenUp: 0 }
  /** The nodes that were told to others as those that run a key. */
  readonly told: (string | undefined)[] = []
  readonly #engine = memoryEngines()
  readonly #store: ResultStore
  readonly #graceMs: number
  #finish: (value: string) => void = () => {}

  /** @param finished called with a function that closes all. */
  constructor(
    finished: (close: () => Promise<void>) => void,
    { store = memoryResultStore(), graceMs = 1_000 } = {},
  ) {
    this.#graceMs = graceMs
    finished(async () => {
      for (const close of this.#opened.reverse()) await close()
    })
    this.#store = {
      id: store.id,
      ttlMs: store.ttlMs,
      begin: async (...args) => {
        const begun = await store.begin(...args)
        if (begun.state === 'running') this.told.push(begun.node)
        return begun
      },
      finish: (key, answer) => store.finish(key, answer),
    }
  }

  async node(name: string) {
    const cluster = createCluster({ engine: this.#engine(), app: 'till', name })
    const endpoint = createEndpoint<Till>({
      cluster,
      logger: false,
      idempotency: { store: this.#store, graceMs: this.#graceMs },
      methods: {
        charge: (_, { signal }) => {
          this.charged.push(name)
          return new Promise((resolve, reject) => {
            this.#finish = resolve
            signal.addEventListener('abort', () => {
              this.aborted.push(signal.reason)
              reject(signal.reason)
            })
          })
        },
        forget: (_, { signal }) => {
          this.forgotten.begun++
          return new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              this.forgotten.givenUp++
              reject(signal.reason)
            })
          })
        },
      },
    })
    this.#opened.push(() => endpoint.close())
    const { url } = await endpoint.listen()
    return { url, endpoint, node: cluster.node }
  }

  client(url: string) {
    const client = createClient<Till>({ url })
    this.#opened.push(() => client.close())
    return client
  }

  finish(value: string): void {
    this.#finish(value)
  }

  /**
   * Waits until a run at a node is given up whose caller is lost now. A run that nobody has waited for since before this
   * has been given up by then, too.
   */
  async graceOver(url: string): Promise<void> {
    const { begun, givenUp } = this.forgotten
    const client = this.client(url)
    const lost = rejection(client.other.forget(undefined, { idempotencyKey: `forgotten-${begun}` }))
    await polled(() => this.forgotten.begun).toBe(begun + 1)
    await client.close()
    await lost
    await polled(() => this.forgotten.givenUp).toBe(givenUp + 1)
  }

  /** A call runs at one node, a caller at another node waits for it, and the first caller is gone. */
  async waiting() {
    const [one, other] = await Promise.all([this.node('one'), this.node('other')])
    const first = this.client(one.url)
    const lost = rejection(first.other.charge({ cents: 1 }, { idempotencyKey }))
    await eventually(() => expect(this.charged).toStrictEqual(['one']))
    const second = this.client(other.url)
    const giveUp = new AbortController()
    const { signal } = giveUp
    const answer = second.other.charge({ cents: 1 }, { idempotencyKey, signal })
    answer.catch(() => {})
    // The third look at the store comes after the node has been told that this one waits.
    await eventually(() => expect(this.told.length).toBeGreaterThan(2))
    await first.close()
    await lost
    return { one, other, second, giveUp, answer }
  }
}

test.concurrent('a run goes on for a caller at another node, although its own callers are gone', async ({
  onTestFinished,
}) => {
  const scene = new Scene(onTestFinished)
  const { one, answer } = await scene.waiting()
  await scene.graceOver(one.url)
  expect(scene.aborted).toStrictEqual([])
  expect(scene.told[0]).toBe(one.node)
  scene.finish('paid')
  expect(await answer).toBe('paid')
  expect(scene.charged).toStrictEqual(['one'])
})

type Leave = (scene: Awaited<ReturnType<Scene['waiting']>>) => unknown

const ways: [string, Leave][] = [
  ['cancels', ({ giveUp }) => giveUp.abort()],
  ['is lost', ({ second }) => second.close()],
  ['loses its node', ({ other }) => other.endpoint.close()],
]

describe.concurrent.each(ways)('a caller at another node that %s', (_, leave) => {
  test.concurrent('leaves a run for which nobody waits any more: it is aborted', async ({
    onTestFinished,
  }) => {
    const scene = new Scene(onTestFinished)
    const waiting = await scene.waiting()
    await scene.graceOver(waiting.one.url)
    expect(scene.aborted).toStrictEqual([])
    await leave(waiting)
    await eventually(() => expect(scene.aborted).toHaveLength(1))
    const again = scene.client(waiting.one.url).other.charge({ cents: 1 }, { idempotencyKey })
    expect(await rejection(again)).toBeInstanceOf(RpcUncertainError)
    expect(scene.charged).toStrictEqual(['one'])
  })
})

test.concurrent('a run goes on for a caller that comes after the node that waited was closed', async ({
  onTestFinished,
}) => {
  const scene = new Scene(onTestFinished, { graceMs: 3_000 })
  const { one, other } = await scene.waiting()
  const third = scene.client(one.url)
  await third.connect()
  await other.endpoint.close()
  const again = third.other.charge({ cents: 1 }, { idempotencyKey })
  again.catch(() => {})
  await scene.graceOver(one.url)
  expect(scene.aborted).toStrictEqual([])
  scene.finish('paid')
  expect(await again).toBe('paid')
  expect(scene.charged).toStrictEqual(['one'])
})

test.concurrent('a store that tells no node: only the callers at the node of the run count', async ({
  onTestFinished,
}) => {
  const store = memoryResultStore()
  const scene = new Scene(onTestFinished, {
    store: {
      id: store.id,
      ttlMs: store.ttlMs,
      begin: (key, fingerprint, owner) => store.begin(key, fingerprint, owner),
      finish: (key, answer) => store.finish(key, answer),
    },
  })
  const { answer } = await scene.waiting()
  await eventually(() => expect(scene.aborted).toHaveLength(1))
  expect(await rejection(answer)).toBeInstanceOf(RpcUncertainError)
})
