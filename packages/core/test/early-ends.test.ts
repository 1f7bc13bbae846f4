import { getEventListeners } from 'node:events'
import { Readable } from 'node:stream'
import { createClient, type Middleware, RpcError } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { afterEach, describe, expect, test } from 'vitest'
import { polled } from './support/eventually.js'
import { RawServer, rawClient } from './support/raw-peer.js'
import { rejection } from './support/rejection.js'

interface Server {
  up(params: { way: string }): string
  both(params: { way: string }): AsyncIterable<number>
}
type Call = (peer: Client, options: object) => unknown
type Client = ReturnType<typeof createClient<Server>>

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** Sources of items, each with a way to see whether it was told that no more are wanted. */
const sources: Record<string, () => { input: object; isReleased: () => boolean }> = {
  'a stream of the web': () => {
    let isReleased = false
    const input = new ReadableStream(
      {
        pull: (queue) => queue.enqueue('x'),
        cancel: () => {
          isReleased = true
        },
      },
      { highWaterMark: 0 },
    )
    return { input, isReleased: () => isReleased }
  },
  'a stream of the web that gives nothing': () => {
    let isReleased = false
    const input = new ReadableStream({
      cancel: () => {
        isReleased = true
      },
    })
    return { input, isReleased: () => isReleased }
  },
  'a stream of Node': () => {
    const input = new Readable({
      objectMode: true,
      read() {
        this.push('x')
      },
    })
    return { input, isReleased: () => input.destroyed }
  },
  'a stream of Node that gives nothing': () => {
    const input = new Readable({ objectMode: true, read: () => {} })
    return { input, isReleased: () => input.destroyed }
  },
  'an iterator': () => {
    let isReleased = false
    const iterator = {
      // It does not send as fast as it can: a peer that sends too much is not read for a while, which uses a timer.
      next: () => new Promise((resolve) => setImmediate(resolve, { value: 'x', done: false })),
      return: async () => {
        isReleased = true
        return { value: undefined, done: true }
      },
    }
    return { input: { [Symbol.asyncIterator]: () => iterator }, isReleased: () => isReleased }
  },
}

async function serve() {
  const endpoint = createEndpoint<Server>({
    methods: {
      up: async ({ way }, { input }) => {
        if (way === 'fails') throw new RpcError(4004, 'No')
        if (way === 'answers') return 'done'
        for await (const _ of input) if (way === 'reads one') return 'done'
        return 'done'
      },
      both: async function* ({ way }, { input }) {
        if (way === 'fails') throw new RpcError(4004, 'No')
        for await (const _ of input) yield 1
      },
    },
  })
  opened.push(() => endpoint.close())
  return { url: (await endpoint.listen()).url, endpoint }
}

async function connected(options: object = {}) {
  const { url, endpoint } = await serve()
  const client = createClient<Server>({ url, ...options })
  opened.push(() => client.close())
  await client.connect()
  return { client, endpoint }
}

const up =
  (way: string, own: object = {}): Call =>
  (client, options) =>
    client.call('up', { way }, { ...options, ...own })

const refusing: Middleware = () => {
  throw new RpcError(4003, 'Not now')
}

/** Ways to end a call with input. Each is seen by the call's rejection or result. */
const ends: Record<
  string,
  () => Promise<{ client: Client; call: Call; afterwards?: () => unknown }>
> = {
  'its signal is aborted already': async () => {
    const { client } = await connected()
    return { client, call: up('waits', { signal: AbortSignal.abort() }) }
  },
  'its signal is none': async () => {
    const { client } = await connected()
    return { client, call: up('waits', { signal: {} }) }
  },
  'its timeout is none': async () => {
    const { client } = await connected()
    return { client, call: up('waits', { timeout: -1 }) }
  },
  'it has a key': async () => {
    const { client } = await connected()
    return { client, call: up('waits', { idempotencyKey: 'a' }) }
  },
  'its listener is none': async () => {
    const { client } = await connected()
    return { client, call: up('waits', { onProgress: 5 }) }
  },
  'its name is none': async () => {
    const { client } = await connected()
    return { client, call: (peer, options) => peer.call(5 as never, ...([{}, options] as never)) }
  },
  "its params can't be carried": async () => {
    const { client } = await connected()
    return {
      client,
      call: (peer, options) => peer.call('up', { way: 1n } as never, options as never),
    }
  },
  'its message is too large': async () => {
    const { client } = await connected()
    return { client, call: up('x'.repeat(2_000_000)) }
  },
  'too many wait': async () => {
    const client = createClient<Server>({
      url: 'ws://127.0.0.1:9',
      autoConnect: false,
      limits: { queuedMessages: 1 },
    })
    opened.push(() => client.close())
    client.call('up', { way: 'waits' }).catch(() => {})
    return { client, call: up('waits') }
  },
  'its server knows of no streams': async () => {
    const server = await RawServer.listen()
    opened.push(() => server[Symbol.asyncDispose]())
    const client = createClient<Server>({ url: server.url })
    opened.push(() => client.close())
    await server.acceptPlain()
    await client.connect()
    return { client, call: up('waits') }
  },
  'its client is closed': async () => {
    const { client } = await connected()
    await client.close()
    return { client, call: up('waits') }
  },
  'its client closes': async () => {
    const { client } = await connected()
    return { client, call: up('waits'), afterwards: () => client.close() }
  },
  'its connection is lost': async () => {
    const { client, endpoint } = await connected()
    const afterwards = () => Promise.all([...endpoint.channels].map((channel) => channel.close()))
    return { client, call: up('waits'), afterwards }
  },
  'a middleware refuses it': async () => {
    const { client } = await connected({ use: refusing })
    return { client, call: up('waits') }
  },
  'a middleware answers it': async () => {
    const { client } = await connected({ use: () => 'made up' })
    return { client, call: up('waits') }
  },
  'its time runs out': async () => {
    const { client } = await connected()
    return { client, call: up('waits', { timeout: 30 }) }
  },
  'its handler fails': async () => {
    const { client } = await connected()
    return { client, call: up('fails') }
  },
  'its handler reads nothing': async () => {
    const { client } = await connected()
    return { client, call: up('answers') }
  },
  'its handler reads a part': async () => {
    const { client } = await connected()
    return { client, call: up('reads one') }
  },
  'its stream is left before it begins': async () => {
    const { client } = await connected()
    return {
      client,
      call: (peer, options) => peer.stream('both', { way: 'waits' }, options).return(),
    }
  },
  'its stream is left': async () => {
    const { client } = await connected()
    return {
      client,
      call: async (peer, options) => {
        const items = peer.stream('both', { way: 'waits' }, options)
        void items.next()
        await items.return()
      },
    }
  },
  'its stream fails': async () => {
    const { client } = await connected()
    return {
      client,
      call: (peer, options) => peer.stream('both', { way: 'fails' }, options).next(),
    }
  },
  'its stream is aborted already': async () => {
    const { client } = await connected()
    return {
      client,
      call: (peer, options) =>
        peer.stream('both', { way: 'waits' }, { ...options, signal: AbortSignal.abort() }).next(),
    }
  },
}

const activeTimers = () =>
  process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

/** The number of timers, as soon as it is at most `most`, or after a second. Uses no timer itself. */
async function fewestTimers(most: number): Promise<number> {
  const until = performance.now() + 1_000
  while (activeTimers() > most && performance.now() < until) await new Promise(setImmediate)
  return activeTimers()
}

describe('nothing is left of a call', () => {
  for (const [end, prepare] of Object.entries(ends)) {
    test.each(Object.entries(sources))(
      `where ${end}, with %s as its input`,
      async (source, make) => {
        // Such a source has no items, so no part of them can be read.
        if (end === 'its handler reads a part' && source.endsWith('nothing')) return
        const { client, call, afterwards } = await prepare()
        const { queued } = client.state
        const timers = activeTimers()
        const controller = new AbortController()
        const { input, isReleased } = make()
        const options = { input, signal: controller.signal, timeout: 60_000 }
        const ended = Promise.resolve(call(client, options)).catch(() => {})
        await new Promise((resolve) => setTimeout(resolve, 5))
        await afterwards?.()
        await ended
        await polled(isReleased).toBe(true)
        expect(getEventListeners(controller.signal, 'abort')).toEqual([])
        expect(await fewestTimers(timers)).toBeLessThanOrEqual(timers)
        expect(client.state.inFlight).toBe(0)
        expect(client.state.queued).toBeLessThanOrEqual(queued)
      },
    )
  }

  test.each(Object.entries(sources))(
    'whose signal aborts, with %s as its input',
    async (_, make) => {
      const { client } = await connected()
      const controller = new AbortController()
      const { input, isReleased } = make()
      const { signal } = controller
      const call = rejection(client.call('up', { way: 'waits' }, { input, signal } as never))
      await polled(() => getEventListeners(signal, 'abort').length).toBe(1)
      controller.abort()
      await call
      await polled(isReleased).toBe(true)
      expect(getEventListeners(signal, 'abort')).toEqual([])
    },
  )
})

describe('nothing is left of a call that is served', () => {
  /** Requests that end early, as a client writes them. What their handlers hold must be released. */
  const early: Record<string, { params?: object; rpc: object; next?: 'cancel' | 'close' }> = {
    'its time has run out': { rpc: { deadlineMs: 0, input: true } },
    'its time runs out': { rpc: { deadlineMs: 30, credit: 4 } },
    'it is cancelled': { rpc: { credit: 4 }, next: 'cancel' },
    'it is cancelled with input': { rpc: { credit: 4, input: true }, next: 'cancel' },
    'its caller goes': { rpc: { credit: 4, deadlineMs: 60_000 }, next: 'close' },
    'it has a key': { rpc: { credit: 4, key: 'a' } },
    'its credit is none': { rpc: { credit: -1 } },
    'it is called as a method': { rpc: {} },
    'it is not allowed': { params: { isAllowed: false }, rpc: { credit: 4, deadlineMs: 60_000 } },
    'it is refused by middleware': {
      params: { isRefused: true },
      rpc: { credit: 4, deadlineMs: 60_000 },
    },
  }

  test.each(Object.entries(early))('where %s', async (_, { params = {}, rpc, next }) => {
    let begun = 0
    let released = 0
    const signals: AbortSignal[] = []
    const endpoint = createEndpoint<{ items(params: object): AsyncIterable<number> }>({
      authorize: () => !('isAllowed' in params),
      use: (call, next) => {
        if ((call.params as { isRefused?: boolean }).isRefused) throw new RpcError(4003, 'Not now')
        return next()
      },
      methods: {
        items: (_, { signal }) => {
          begun++
          signals.push(signal)
          return {
            [Symbol.asyncIterator]: () => ({
              next: async () => ({ value: 1, done: false }),
              return: async () => {
                released++
                return { value: undefined, done: true }
              },
            }),
          }
        },
      },
    })
    opened.push(() => endpoint.close())
    const peer = await rawClient((await endpoint.listen()).url)
    opened.push(() => peer[Symbol.asyncDispose]())
    const hello = { v: 1, attempt: 1, codec: 'json', limits: { msg: 1_000_000 } }
    peer.send({ jsonrpc: '2.0', id: 'rpc:1', method: 'rpc.hello', params: hello })
    await peer.nextJson()
    const timers = activeTimers()
    const [channel] = endpoint.channels
    peer.send({ jsonrpc: '2.0', id: 1, method: 'items', params, rpc })
    if (next === 'cancel') {
      await polled(() => begun).toBe(1)
      peer.send({ jsonrpc: '2.0', method: 'rpc.cancel', params: { id: 1 } })
    } else if (next === 'close') {
      await polled(() => begun).toBe(1)
      peer.socket.close()
    }
    await polled(() => channel?.running).toBe(0)
    await polled(() => released).toBe(begun)
    expect(await fewestTimers(timers)).toBeLessThanOrEqual(timers)
    for (const signal of signals) expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})
