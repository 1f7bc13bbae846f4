import { createClient } from '@flashrpc/core'
import { afterEach, describe, expect, test } from 'vitest'
import { type ArrivalHost, arrive } from '../src/channels/arrival.js'
import { ChannelKind } from '../src/channels/channel-kind.js'
import type { LiveChannel } from '../src/channels/live-channel.js'
import { OF_ENDPOINTS } from '../src/presets/of-endpoints.js'
import { type ResumeOptions, Sessions } from '../src/server/sessions.js'
import { memoryTransportPair } from '../src/transport/memory.js'
import type { Transport } from '../src/transport/transport.js'
import { polled } from './support/eventually.js'

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** A client with a session, over transports that may be lost; what proves that the session is the client's. */
async function begun(options: ResumeOptions = {}) {
  const sessions = new Sessions(options)
  const channels = new Set<LiveChannel>()
  let token = ''
  let made = 0
  let cut = () => {}
  const kind = new ChannelKind({
    contract: undefined,
    side: 'server',
    options: { methods: { ping: () => 'pong' } },
    features: OF_ENDPOINTS,
    newId: () => `channel ${++made}`,
    events: {
      open: (channel) => channels.add(channel),
      down: (channel) => sessions.down(channel),
      ended: (channel, info, recv) => {
        channels.delete(channel)
        sessions.ended(channel, info, recv)
      },
    },
  })
  const host: ArrivalHost = {
    kind,
    receive: (hello, arrival) => sessions.receive(hello, arrival, { spreadMs: 0 }),
  }
  const client = createClient<{ ping(): string }>({
    autoConnect: false,
    heartbeat: false,
    retry: { minDelayMs: 5, maxDelayMs: 5 },
    transport: (): Transport => {
      const [near, far] = memoryTransportPair()
      arrive(
        host,
        lossy(far, () => {}),
        { identity: { name: 'ann' } },
      )
      cut = () => far.close(1006)
      return lossy(near, (frame) => {
        token = (JSON.parse(frame).result?.token as string | undefined) ?? token
      })
    },
  })
  opened.push(() => client.close())
  await client.connect()
  await client.call('ping')
  const [channel] = channels
  const ann = { identity: { name: 'ann' } }
  return {
    sessions,
    client,
    channel: channel as LiveChannel,
    ann,
    mine: { sid: (channel as LiveChannel).id, token },
    cut: () => cut(),
    /** How many channels were made so far. */
    made: () => made,
  }
}

/** A memory transport that counts as one that can be lost. */
function lossy(inner: Transport, heard: (frame: string) => void): Transport {
  return {
    reliable: false,
    start: ({ frame, close }) =>
      inner.start({
        frame(one) {
          heard(one as string)
          frame(one)
        },
        close,
      }),
    send: (frame) => inner.send(frame),
    close: (code, reason) => inner.close(code, reason),
  }
}

const none = (thrown: unknown) => {
  throw thrown
}

describe('whose session it is', () => {
  test('a kept session is found by its token and its identity, and nothing changes', async () => {
    const { sessions, client, channel, mine, ann } = await begun()
    expect(sessions.find(mine, ann, none)).toBe('kept')
    expect(sessions.find(mine, ann, none)).toBe('kept')
    expect(channel.isConnected).toBe(true)
    expect(await client.call('ping')).toBe('pong')
    expect(sessions.failedProofs).toBe(0)
  })

  test('a kept session without a connection is found, and its client can still come back', async () => {
    const { sessions, client, channel, mine, ann, cut } = await begun()
    const ended = polled(() => client.state.resumed)
    cut()
    expect(sessions.find(mine, ann, none)).toBe('kept')
    await ended.toBe(true)
    expect(channel.isConnected).toBe(true)
  })

  test('a connection that goes on with a session has no channel of its own', async () => {
    const { client, channel, made, cut } = await begun()
    for (let times = 1; times <= 3; times++) {
      const resumed = polled(() => client.state)
      cut()
      await resumed.toMatchObject({ status: 'connected', resumed: true })
      expect(await client.call('ping')).toBe('pong')
    }
    expect(channel.isConnected).toBe(true)
    expect(made()).toBe(1)
  })

  test('of a session that has ended, it is known how far it came', async () => {
    const { sessions, client, channel, mine, ann } = await begun()
    await client.call('ping')
    channel.end({ code: 1013, reason: 'too many' })
    expect(sessions.find(mine, ann, none)).toEqual({ lastRecv: 2 })
  })

  test.each([
    ['another token', { token: 'guessed' }, {}],
    ['another identity', {}, { identity: { name: 'bob' } }],
    ['no identity', {}, { identity: undefined }],
  ])('with %s it is as if there were none, and counted', async (_, resume, visitor) => {
    const { sessions, client, mine, ann } = await begun()
    expect(sessions.find({ ...mine, ...resume }, { ...ann, ...visitor }, none)).toBe('unknown')
    expect(sessions.failedProofs).toBe(1)
    expect(await client.call('ping')).toBe('pong')
  })

  test('an id that nobody has is not a failed proof', async () => {
    const { sessions, mine, ann } = await begun()
    expect(sessions.find({ ...mine, sid: '0'.repeat(32) }, ann, none)).toBe('unknown')
    expect(sessions.failedProofs).toBe(0)
  })

  test('a sameIdentity that fails is told, and proves nothing', async () => {
    const failure = new Error('no database')
    const { sessions, mine, ann } = await begun({
      sameIdentity: () => {
        throw failure
      },
    })
    const told: unknown[] = []
    expect(sessions.find(mine, ann, (thrown) => told.push(thrown))).toBe('unknown')
    expect(told).toEqual([failure])
    expect(sessions.failedProofs).toBe(1)
  })
})

describe('a kind of channels that needs a hello', () => {
  /** The close code of a connection whose client sends this first. */
  async function closeOf(needsHello: boolean, first: string | undefined, helloTimeoutMs: number) {
    const kind = new ChannelKind({
      contract: undefined,
      side: 'server',
      options: { methods: { ping: () => 'pong' }, helloTimeoutMs },
      features: OF_ENDPOINTS,
    })
    const [near, far] = memoryTransportPair()
    const heard: unknown[] = []
    const host: ArrivalHost = {
      kind,
      needsHello,
      receive: (_, { id }) => ({ accept: { sid: id, resumed: false, spreadMs: 0 } }),
    }
    const { channel } = arrive(host, far, {})
    opened.push(() => channel.close())
    const closed = new Promise<number>((resolve) => {
      near.start({ frame: (frame) => heard.push(frame), close: ({ code }) => resolve(code) })
    })
    if (first !== undefined) near.send(first)
    return { channel, heard, closed }
  }

  const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}'

  test('refuses a client that says nothing in time', async () => {
    const { closed } = await closeOf(true, undefined, 20)
    expect(await closed).toBe(4408)
  })

  test('refuses a client whose first message is another one, and runs nothing', async () => {
    const { closed, heard } = await closeOf(true, ping, 10_000)
    expect(await closed).toBe(4408)
    expect(heard).toEqual([])
  })

  test('serves such clients if it needs none', async () => {
    const { channel, heard } = await closeOf(false, ping, 10_000)
    await polled(() => heard).toEqual(['{"jsonrpc":"2.0","id":1,"result":"pong"}'])
    expect(channel.isConnected).toBe(true)
  })
})
