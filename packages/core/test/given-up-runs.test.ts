import {
  type ClientOptions,
  createClient,
  RpcAbortedError,
  RpcDisconnectedError,
  RpcError,
  RpcTimeoutError,
  RpcUncertainError,
} from '@flashrpc/core'
import {
  createEndpoint,
  type Endpoint,
  type EndpointOptions,
  type IdempotencyOptions,
  memoryResultStore,
  type ResultStore,
} from '@flashrpc/core/server'
import { afterEach, describe, expect, test } from 'vitest'
import { polled } from './support/eventually.js'
import { rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

interface Till {
  charge(params: { cents: number }): Promise<string>
}
type Reaction = (reason: unknown) => unknown

const idempotencyKey = 'order-17'
const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** Servers that share a store, and what they ran. */
class Scene {
  readonly store: ResultStore
  readonly charged: number[] = []
  /** Whether signals were aborted when their handlers began. */
  readonly lateBegins: boolean[] = []
  readonly aborted: unknown[] = []
  /** What a handler does when it is told to stop; undefined if it goes on. */
  reaction: Reaction | undefined = (reason) => {
    throw reason
  }
  readonly #finish: ((value: string) => void)[] = []

  constructor(store: ResultStore = memoryResultStore()) {
    this.store = store
  }

  async serve(
    idempotency: Partial<IdempotencyOptions> = {},
    options: Partial<EndpointOptions<Till, Record<never, never>>> = {},
  ): Promise<{ endpoint: Endpoint<Till, Record<never, never>>; url: string }> {
    const endpoint = createEndpoint<Till, Record<never, never>>({
      ...options,
      idempotency: { store: this.store, ...idempotency },
      methods: {
        charge: ({ cents }, { signal }) => {
          this.charged.push(cents)
          this.lateBegins.push(signal.aborted)
          return new Promise((resolve, reject) => {
            this.#finish.push(resolve)
            signal.addEventListener('abort', () => {
              this.aborted.push(signal.reason)
              // The handler ends later.
              setTimeout(() => {
                if (!this.reaction) return
                try {
                  resolve(this.reaction(signal.reason) as string)
                } catch (thrown) {
                  reject(thrown)
                }
              }, 20)
            })
          })
        },
      },
    })
    opened.push(() => endpoint.close())
    return { endpoint, url: (await endpoint.listen()).url }
  }

  client(url: string) {
    const client = createClient<Till>({
      url,
      retry: { minDelayMs: 5, maxDelayMs: 20 },
    } as ClientOptions<Record<never, never>, Till>)
    opened.push(() => client.close())
    return client
  }

  /** Ends the charges that run. */
  finish(value = 'paid'): void {
    for (const resolve of this.#finish.splice(0)) resolve(value)
  }
}

/** Waits until a server knows that its callers have gone, and a grace of 1 ms is over. */
async function heard(endpoint: Endpoint<Till, Record<never, never>>): Promise<void> {
  await polled(() => [...endpoint.channels].some(({ running }) => running > 0)).toBe(false)
  // A timer that was set before, for less time, has fired by then, however busy the machine is.
  await new Promise((resolve) => setTimeout(resolve, 10))
}

/** A store whose answers to `begin` are held back until they are let go. */
function slowStore(inner: ResultStore, parts: Partial<ResultStore> = {}) {
  const held: (() => void)[] = []
  let isOpen = false
  const store: ResultStore = {
    id: inner.id,
    ttlMs: inner.ttlMs,
    begin: async (key, fingerprint) => {
      const begun = await inner.begin(key, fingerprint)
      if (!isOpen) await new Promise<void>((resolve) => held.push(resolve))
      return begun
    },
    finish: (key, answer) => inner.finish(key, answer),
    ...(inner.release && { release: (key: string) => inner.release?.(key) }),
    ...parts,
  }
  const open = () => {
    isOpen = true
    for (const go of held.splice(0)) go()
  }
  return { store, held, open }
}

/** How a handler may end after it was told to stop. */
const reactions: [string, Reaction][] = [
  [
    'throws the reason',
    (reason) => {
      throw reason
    },
  ],
  [
    'throws an error of its own',
    () => {
      throw new Error('I was interrupted')
    },
  ],
  [
    'passes on that a call of its own timed out',
    () => {
      throw new RpcTimeoutError('"lookUp" was not answered in 50 ms', 'maybe-executed')
    },
  ],
  [
    'passes on that a call of its own was aborted',
    () => {
      throw new RpcAbortedError('"lookUp" was aborted', 'maybe-executed')
    },
  ],
  [
    'passes on that a call of its own lost its connection',
    () => {
      throw new RpcDisconnectedError('"lookUp" was cut off', 'maybe-executed')
    },
  ],
]

type GiveUp = (scene: Scene, url: string, endpoint: Endpoint<Till, object>) => Promise<unknown>

/** Ways to give up a run. Each begins the run first. */
const ways: [string, GiveUp][] = [
  [
    'the timeout of its caller',
    async (scene, url) => {
      const client = scene.client(url)
      await client.connect()
      await rejection(client.other.charge({ cents: 1 }, { idempotencyKey, timeout: 150 }))
    },
  ],
  [
    'the deadline of a caller that says no more',
    async (scene, url) => {
      const peer = await rawClient(url)
      opened.push(() => peer[Symbol.asyncDispose]())
      const rpc = { key: idempotencyKey, deadlineMs: 100 }
      peer.send({ jsonrpc: '2.0', id: 1, method: 'charge', params: { cents: 1 }, rpc })
      await polled(() => scene.aborted).toHaveLength(1)
    },
  ],
  [
    'its caller that cancels',
    async (scene, url) => {
      const giveUp = new AbortController()
      const { signal } = giveUp
      const call = rejection(
        scene.client(url).other.charge({ cents: 1 }, { idempotencyKey, signal }),
      )
      await polled(() => scene.charged).toHaveLength(1)
      giveUp.abort()
      await call
    },
  ],
  [
    'its caller that is lost',
    async (scene, url) => {
      const client = scene.client(url)
      const call = rejection(client.other.charge({ cents: 1 }, { idempotencyKey }))
      await polled(() => scene.charged).toHaveLength(1)
      await client.close()
      await call
    },
  ],
  [
    'the endpoint that drains',
    async (scene, url, endpoint) => {
      const call = rejection(
        scene.client(url).other.charge({ cents: 1 }, { idempotencyKey, timeout: 3_000 }),
      )
      await polled(() => scene.charged).toHaveLength(1)
      await endpoint.close({ drain: 50 })
      void call
    },
  ],
  [
    'the endpoint that closes',
    async (scene, url, endpoint) => {
      const call = rejection(
        scene.client(url).other.charge({ cents: 1 }, { idempotencyKey, timeout: 3_000 }),
      )
      await polled(() => scene.charged).toHaveLength(1)
      await endpoint.close()
      void call
    },
  ],
]

describe.each(ways)('a run that is given up by %s', (_, giveUp) => {
  test.each(reactions)('is uncertain from then on where its handler %s', async (__, reaction) => {
    const scene = new Scene()
    scene.reaction = reaction
    const { endpoint, url } = await scene.serve({ graceMs: 50 })
    const another = await scene.serve()
    await giveUp(scene, url, endpoint as Endpoint<Till, object>)
    await polled(() => scene.aborted).toHaveLength(1)
    for (let time = 0; time < 2; time++) {
      const again = rejection(
        scene.client(another.url).other.charge({ cents: 1 }, { idempotencyKey }),
      )
      expect(await again).toBeInstanceOf(RpcUncertainError)
      expect(await again).toMatchObject({ outcome: 'maybe-executed', method: 'charge' })
    }
    expect(scene.charged).toStrictEqual([1])
  })

  test('keeps what its handler makes of it all the same', async () => {
    const scene = new Scene()
    scene.reaction = () => 'paid in time'
    const { endpoint, url } = await scene.serve({ graceMs: 50 })
    const another = await scene.serve()
    await giveUp(scene, url, endpoint as Endpoint<Till, object>)
    expect(await scene.client(another.url).other.charge({ cents: 1 }, { idempotencyKey })).toBe(
      'paid in time',
    )
    expect(scene.charged).toStrictEqual([1])
  })
})

test.each(reactions.slice(2))(
  'a key whose handler %s, which nobody told to stop, is uncertain from then on',
  async (_, react) => {
    const store = memoryResultStore()
    let runs = 0
    const endpoint = createEndpoint<Till>({
      idempotency: { store },
      methods: {
        charge: async () => {
          runs++
          return react(undefined) as string
        },
      },
    })
    opened.push(() => endpoint.close())
    const client = createClient<Till>({ url: (await endpoint.listen()).url })
    opened.push(() => client.close())
    const charge = () => rejection(client.other.charge({ cents: 1 }, { idempotencyKey }))
    expect(await charge()).toBeInstanceOf(RpcError)
    expect(await charge()).toBeInstanceOf(RpcUncertainError)
    expect(runs).toBe(1)
  },
)

describe('a run that is given up before its handler has begun', () => {
  const leave: [string, (scene: Scene, url: string, held: unknown[]) => Promise<unknown>][] = [
    [
      'by a cancel',
      async (scene, url, held) => {
        const giveUp = new AbortController()
        const { signal } = giveUp
        const call = rejection(
          scene.client(url).other.charge({ cents: 1 }, { idempotencyKey, signal }),
        )
        await polled(() => held).toHaveLength(1)
        giveUp.abort()
        expect(await call).toBeInstanceOf(RpcAbortedError)
      },
    ],
    [
      'by a timeout',
      async (scene, url, held) => {
        const client = scene.client(url)
        await client.connect()
        const call = rejection(client.other.charge({ cents: 1 }, { idempotencyKey, timeout: 150 }))
        await polled(() => held).toHaveLength(1)
        expect(await call).toBeInstanceOf(RpcTimeoutError)
      },
    ],
    [
      'by a caller that is lost',
      async (scene, url, held) => {
        const client = scene.client(url)
        const call = rejection(client.other.charge({ cents: 1 }, { idempotencyKey }))
        await polled(() => held).toHaveLength(1)
        await client.close()
        await call
      },
    ],
  ]

  test.each(leave)('%s, is taken over by who comes in time', async (_, giveUp) => {
    const { store, held, open } = slowStore(memoryResultStore())
    const scene = new Scene(store)
    const { endpoint, url } = await scene.serve({ graceMs: 1 })
    await giveUp(scene, url, held)
    await heard(endpoint)
    const call = scene.client(url).other.charge({ cents: 1 }, { idempotencyKey })
    await polled(() => [...endpoint.channels].some(({ running }) => running > 0)).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 50))
    open()
    await polled(() => scene.charged).toStrictEqual([1])
    expect(scene.lateBegins).toStrictEqual([false])
    scene.finish()
    expect(await call).toBe('paid')
    expect(await scene.client(url).other.charge({ cents: 1 }, { idempotencyKey })).toBe('paid')
    expect(scene.charged).toStrictEqual([1])
    expect(scene.aborted).toStrictEqual([])
  })

  test.each(leave)('%s, is never run, and its key runs again', async (_, giveUp) => {
    const { store, held, open } = slowStore(memoryResultStore())
    const scene = new Scene(store)
    const { endpoint, url } = await scene.serve({ graceMs: 1 })
    await giveUp(scene, url, held)
    await heard(endpoint)
    open()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(scene.charged).toStrictEqual([])
    const call = scene.client(url).other.charge({ cents: 1 }, { idempotencyKey })
    await polled(() => scene.charged).toStrictEqual([1])
    scene.finish()
    expect(await call).toBe('paid')
    expect(scene.lateBegins).toStrictEqual([false])
  })

  test.each(leave)(
    '%s, is never run, and uncertain where the store takes nothing back',
    async (_, giveUp) => {
      const memory = memoryResultStore()
      const { id, ttlMs } = memory
      const { store, held, open } = slowStore({
        id,
        ttlMs,
        begin: (key, fingerprint) => memory.begin(key, fingerprint),
        finish: (key, answer) => memory.finish(key, answer),
      })
      const scene = new Scene(store)
      const { endpoint, url } = await scene.serve({ graceMs: 1 })
      await giveUp(scene, url, held)
      await heard(endpoint)
      open()
      const again = rejection(scene.client(url).other.charge({ cents: 1 }, { idempotencyKey }))
      expect(await again).toBeInstanceOf(RpcUncertainError)
      expect(scene.charged).toStrictEqual([])
    },
  )
})

describe('a run of another server', () => {
  test('is waited for by who comes after one that cancelled', async () => {
    const scene = new Scene()
    const [first, second] = [await scene.serve(), await scene.serve()]
    const call = scene.client(first.url).other.charge({ cents: 1 }, { idempotencyKey })
    await polled(() => scene.charged).toStrictEqual([1])
    // At the second server, one caller waits and cancels; in the same turn, another one asks.
    const client = scene.client(second.url)
    await client.connect()
    const giveUp = new AbortController()
    const { signal } = giveUp
    const waiting = rejection(client.other.charge({ cents: 1 }, { idempotencyKey, signal }))
    await polled(() => [...second.endpoint.channels][0]?.running).toBe(1)
    // The store is asked less and less often.
    await new Promise((resolve) => setTimeout(resolve, 100))
    giveUp.abort()
    const again = client.other.charge({ cents: 1 }, { idempotencyKey })
    expect(await waiting).toBeInstanceOf(RpcAbortedError)
    await new Promise((resolve) => setTimeout(resolve, 100))
    scene.finish()
    expect(await Promise.all([call, again])).toStrictEqual(['paid', 'paid'])
    expect(scene.charged).toStrictEqual([1])
    expect(scene.aborted).toStrictEqual([])
  })
})

describe('a run that was given up while its handler ran', () => {
  test('is joined by nobody: who comes then is told what becomes of it', async () => {
    const scene = new Scene()
    scene.reaction = undefined
    const { url } = await scene.serve()
    const giveUp = new AbortController()
    const { signal } = giveUp
    const call = rejection(scene.client(url).other.charge({ cents: 1 }, { idempotencyKey, signal }))
    await polled(() => scene.charged).toStrictEqual([1])
    giveUp.abort()
    await call
    await polled(() => scene.aborted).toHaveLength(1)
    const client = scene.client(url)
    await client.connect()
    const late = rejection(client.other.charge({ cents: 1 }, { idempotencyKey, timeout: 100 }))
    const again = scene.client(url).other.charge({ cents: 1 }, { idempotencyKey })
    expect(await late).toMatchObject({ name: 'RpcTimeoutError', outcome: 'maybe-executed' })
    scene.finish('paid after all')
    expect(await again).toBe('paid after all')
    expect(scene.charged).toStrictEqual([1])
  })

  test('goes on where its caller comes back in time', async () => {
    const scene = new Scene()
    const { url } = await scene.serve({ graceMs: 2_000 })
    const client = scene.client(url)
    const call = rejection(client.other.charge({ cents: 1 }, { idempotencyKey }))
    await polled(() => scene.charged).toStrictEqual([1])
    await client.close()
    await call
    const again = scene.client(url).other.charge({ cents: 1 }, { idempotencyKey })
    await new Promise((resolve) => setTimeout(resolve, 50))
    scene.finish()
    expect(await again).toBe('paid')
    expect(scene.aborted).toStrictEqual([])
    expect(scene.charged).toStrictEqual([1])
  })
})

test('who waits for a run and cancels gives its place back at once; who began it does when it ends', async () => {
  const scene = new Scene()
  scene.reaction = undefined
  const { url } = await scene.serve({}, { limits: { running: 2 } })
  const [beginner, waiter] = [scene.client(url), scene.client(url)]
  const begun = beginner.other.charge({ cents: 1 }, { idempotencyKey })
  await polled(() => scene.charged).toStrictEqual([1])
  // More calls than may run at the same time.
  for (let n = 0; n < 5; n++) {
    const giveUp = new AbortController()
    const { signal } = giveUp
    const waiting = rejection(waiter.other.charge({ cents: 1 }, { idempotencyKey, signal }))
    await new Promise((resolve) => setTimeout(resolve, 20))
    giveUp.abort()
    expect(await waiting).toBeInstanceOf(RpcAbortedError)
  }
  const last = waiter.other.charge({ cents: 1 }, { idempotencyKey })
  await new Promise((resolve) => setTimeout(resolve, 20))
  scene.finish()
  expect(await Promise.all([begun, last])).toStrictEqual(['paid', 'paid'])
})
