import { memoryTransportPair, RpcDisconnectedError } from '@flashrpc/core'
import { describe, expect, test } from 'vitest'
import { ChannelCore } from '../src/calls/channel-core.js'
import { handlersOf } from '../src/calls/exposed-handlers.js'
import { tableOf } from '../src/calls/feature-table.js'
import { resolveChannelOptions } from '../src/calls/resolve-options.js'
import { type ArrivalHost, arrive } from '../src/channels/arrival.js'
import { ChannelKind } from '../src/channels/channel-kind.js'
import { clientHandshake } from '../src/channels/client-hello.js'
import type { LiveChannel } from '../src/channels/live-channel.js'
import { ClientSession } from '../src/features/sessions/client-session.js'
import { sessions } from '../src/features/sessions/sessions.js'
import type { MessageLink } from '../src/link/message-link.js'
import { PLAIN_PEER } from '../src/link/peer-facts.js'
import type { Transport } from '../src/transport/transport.js'
import { type Encoded, frameOf } from '../src/wire/encoded.js'
import { classify } from '../src/wire/message.js'
import { polled } from './support/eventually.js'
import { rejection } from './support/rejection.js'

const FEATURES = [sessions()]
const TABLE = tableOf(FEATURES)
const METHODS = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  later: async ({ n }: { n: number }) => {
    await new Promise((resolve) => setTimeout(resolve, 1))
    return n
  },
  never: () => new Promise(() => {}),
}

/** One end, which calls, without any client around it. */
function callerCore(session: ((core: ChannelCore) => ClientSession) | undefined): ChannelCore {
  const settings = resolveChannelOptions({ logger: false }, FEATURES, undefined)
  const side = 'client'
  const owner = { id: 'caller' }
  const events = { open() {}, down() {}, ended() {}, error() {} }
  const core: ChannelCore = new ChannelCore(
    {
      side,
      localSide: undefined,
      remoteSide: undefined,
      remoteGroups: undefined,
      settings,
      features: TABLE,
      outlivesLinks: session !== undefined,
      keptLink: () => session?.(core),
      events,
    },
    owner,
    handlersOf({}, { side, localSide: undefined, remoteSide: undefined, settings }),
  )
  return core
}

/** The other end: channels that serve, each session by its id. */
function servingHost(): ArrivalHost {
  const channels = new Map<string, LiveChannel>()
  const kind = new ChannelKind({
    contract: undefined,
    side: 'server',
    options: { methods: METHODS, logger: false },
    features: FEATURES,
  })
  return {
    kind,
    receive({ resume, limits }, arrival) {
      const kept = resume && channels.get(resume.sid)
      if (kept && resume) {
        const recv = arrival.resume(kept, resume.recv) as number
        const { sid, token } = resume
        return { accept: { sid, token, resumed: true, spreadMs: 0, recv } }
      }
      const { channel } = arrival
      channels.set(channel.id, channel)
      const accept = { sid: channel.id, resumed: false, spreadMs: 0 }
      if (limits.buf === undefined) return { accept }
      channel.begin(limits.buf)
      return { accept: { ...accept, token: channel.id, recv: 0 } }
    },
  }
}

/** Two ends that are there, and what cuts the link between them for good. */
interface Scene {
  readonly core: ChannelCore
  /** Whether all that it is to withstand has happened. */
  readonly isTried: () => boolean
  end(): void
}

function bare(): Scene {
  const [ours, theirs] = memoryTransportPair()
  arrive(servingHost(), theirs, {})
  const core = callerCore(undefined)
  core.attach(
    ours,
    clientHandshake(core, TABLE, ours, { attempt: 1, isPlain: false, timeLeftMs: 1_000 }),
  )
  return { core, isTried: () => true, end: () => core.connection?.end(1000, 'over') }
}

/** A session over connections of which each is cut after a few frames, without a goodbye. */
function lossySession(): Scene {
  const host = servingHost()
  let kept: ClientSession | undefined
  const session = (one: ChannelCore): ClientSession => {
    kept ??= new ClientSession(one, TABLE)
    return kept
  }
  const core = callerCore(session)
  let attempt = 0
  let isOver = false
  const connect = () => {
    if (isOver) return
    const [ours, theirs] = memoryTransportPair()
    const lossy = cutAfter(ours, 3 + (attempt % 4), () => setTimeout(connect, 1))
    arrive(host, theirs, {})
    attempt++
    const keptLink = session(core)
    core.attach(
      lossy,
      clientHandshake(core, TABLE, lossy, {
        attempt,
        keptLink,
        isPlain: false,
        timeLeftMs: 1_000,
      }),
    )
  }
  connect()
  return {
    core,
    isTried: () => attempt > 3,
    end() {
      isOver = true
      core.end({ code: 1000, reason: 'over' })
    },
  }
}

/** A transport that loses its connection after so many frames of this side, the last of them with it. */
function cutAfter(transport: Transport, frames: number, lost: () => void): Transport {
  let left = frames
  let close: (() => void) | undefined
  return {
    reliable: false,
    start(events) {
      close = () => {
        close = undefined
        events.close({ code: 1006, reason: 'cut' })
        lost()
      }
      transport.start({ ...events, frame: (frame) => close && events.frame(frame), close() {} })
    },
    send(frame) {
      if (left-- > 0) return transport.send(frame)
      queueMicrotask(() => {
        transport.close(3000, 'cut')
        close?.()
      })
      return true
    },
    close: (code, reason) => transport.close(code, reason),
  }
}

/** A link of the test's own: it takes one message in a turn, and answers by itself. */
function own(): Scene {
  const core = callerCore(undefined)
  let room = 1
  const link: MessageLink = {
    isReady: true,
    peer: PLAIN_PEER,
    upper: undefined,
    hasRoomFor: () => room > 0,
    isRoomy: true,
    recv: undefined,
    session: undefined,
    held: { messages: 0, bytes: 0 },
    reportRecv: () => undefined,
    unreceived: () => [],
    endWithConnection() {},
    stop() {},
    sendControl: () => false,
    holdBack() {},
    end: (code, reason) => core.ended(link, { code, reason }, false, false),
    cut: (code, reason) => core.ended(link, { code, reason }, false, false),
    violated: (what) => core.ended(link, { code: 4400, reason: what }, false, true),
    isCongested: false,
    unsentBytes: 0,
    underWayBytes: 0,
    acknowledgements: 0,
    watchDrain: () => true,
    weight: 1,
    send(encoded: Encoded) {
      room--
      const { id, method, params } = JSON.parse(String(frameOf(encoded)))
      setTimeout(async () => {
        room++
        core.room(link)
        const handler = METHODS[method as 'add'] as (params: object) => unknown
        const result = await handler(params)
        core.message(link, classify({ jsonrpc: '2.0', id, result }), 1, undefined)
      })
      return true
    },
  }
  core.ready(link, undefined, true)
  return { core, isTried: () => true, end: () => link.end(1000, 'over') }
}

describe.each([
  ['a connection', bare],
  ['a session over connections that are cut', lossySession],
  ['a link of the test', own],
])('over %s', (_, open) => {
  test('calls are answered, each once', async () => {
    const { core, isTried, end } = open()
    for (let n = 0; n < 30; n++) expect(await core.call('add', { a: n, b: 1 })).toBe(n + 1)
    const sums = Array.from({ length: 40 }, (_, n) => core.call('add', { a: n, b: 1 }))
    expect(await Promise.all(sums)).toStrictEqual(Array.from({ length: 40 }, (_, n) => n + 1))
    const later = Array.from({ length: 20 }, (_, n) => core.call('later', { n }))
    expect(await Promise.all(later)).toStrictEqual(Array.from({ length: 20 }, (_, n) => n))
    expect(core.inFlight).toBe(0)
    expect(isTried()).toBe(true)
    end()
  })

  test('its end ends the calls, and says that they may have run', async () => {
    const { core, end } = open()
    expect(await core.call('add', { a: 1, b: 1 })).toBe(2)
    const lost = rejection(core.call('never', {}))
    await polled(() => core.inFlight).toBe(1)
    end()
    const error = await lost
    expect(error).toBeInstanceOf(RpcDisconnectedError)
    expect(error).toMatchObject({ outcome: 'maybe-executed' })
  })
})
