import { getEventListeners } from 'node:events'
import {
  createAudience,
  createChannel,
  defineContract,
  memoryTransportPair,
  method,
  notification,
  RpcAbortedError,
  RpcDisconnectedError,
  RpcError,
  RpcTimeoutError,
  type ServerChannel,
  type TargetOutcome,
} from '@flashrpc/core'
import { expect, test, vi } from 'vitest'
import { z } from 'zod'

const contract = defineContract({
  server: {},
  client: {
    ask: method({ params: z.object({ text: z.string() }), result: z.string() }),
    tell: notification({ params: z.object({ text: z.string() }) }),
  },
})
type Asked = ServerChannel<(typeof contract)['server'], (typeof contract)['client'], undefined>
type Answer = (params: { text: string }, context: { signal: AbortSignal }) => Promise<string>

/** Channels to clients, each of which answers in its own way. */
function connect(answers: readonly (Answer | undefined)[]) {
  const told = vi.fn()
  const channels: Asked[] = []
  for (const [index, answer] of answers.entries()) {
    const [left, right] = memoryTransportPair()
    createChannel(contract, {
      side: 'client',
      transport: right,
      methods: {
        ...(answer && { ask: answer }),
        tell: ({ text }) => told(index, text),
      },
    })
    channels.push(createChannel(contract, { side: 'server', transport: left, methods: {} }))
  }
  const audience = createAudience<(typeof contract)['client'], Asked>(() => channels)
  return { channels, audience, told }
}

const never: Answer = () => new Promise(() => {})

async function collect<T>(outcomes: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const outcome of outcomes) all.push(outcome)
  return all
}

test('every target has one outcome, whatever becomes of it, in the order of the targets', async () => {
  const { channels, audience } = connect([
    async ({ text }) => `${text}!`,
    async () => {
      throw new RpcError(4004, 'Not here')
    },
    never,
    never,
    undefined,
  ])
  const asking = audience.call('ask', { text: 'Well' }, { timeout: 200 })
  await channels[3]?.close()
  const outcomes = await asking
  expect(outcomes.map(({ channelId }) => channelId)).toEqual(channels.map(({ id }) => id))
  expect(outcomes).toMatchObject([
    { status: 'ok', value: 'Well!' },
    { status: 'error', error: { code: 4004, message: 'Not here' } },
    { status: 'error', error: expect.any(RpcTimeoutError) },
    { status: 'error', error: expect.any(RpcDisconnectedError) },
    { status: 'error', error: { code: -32601, data: { reason: 'not-mounted' } } },
  ])
})

test('outcomes come one by one, the quick ones first, each once', async () => {
  let answerSlowly = (_: string) => {}
  const slow = new Promise<string>((resolve) => {
    answerSlowly = resolve
  })
  const { channels, audience } = connect([() => slow, async () => 'quick'])
  const seen: TargetOutcome<string>[] = []
  for await (const outcome of audience.each('ask', { text: '?' })) {
    seen.push(outcome)
    answerSlowly('slow')
  }
  expect(seen).toEqual([
    { channel: channels[1], channelId: channels[1]?.id, status: 'ok', value: 'quick' },
    { channel: channels[0], channelId: channels[0]?.id, status: 'ok', value: 'slow' },
  ])
})

test('leaving the iteration takes back what has not been answered', async () => {
  const aborted = vi.fn()
  const { audience } = connect([
    async () => 'quick',
    (_, { signal }) => new Promise(() => signal.addEventListener('abort', aborted)),
  ])
  for await (const { status } of audience.each('ask', { text: '?' })) {
    expect(status).toBe('ok')
    break
  }
  await vi.waitFor(() => expect(aborted).toHaveBeenCalledOnce(), { timeout: 10_000 })
})

test('a signal gives up the calls that are open, each with its outcome', async () => {
  const { audience } = connect([async () => 'quick', never])
  const giveUp = new AbortController()
  const outcomes = collect(audience.each('ask', { text: '?' }, { signal: giveUp.signal }))
  setTimeout(() => giveUp.abort(), 20)
  expect(await outcomes).toMatchObject([
    { status: 'ok' },
    { status: 'error', error: expect.any(RpcAbortedError) },
  ])
})

test('a signal is heeded where there is no AbortSignal.any, and nothing is left on it', async () => {
  const any = vi.spyOn(AbortSignal, 'any').mockImplementation(() => {
    throw new TypeError('AbortSignal.any is not a function')
  })
  try {
    const { audience } = connect([async () => 'quick', never])
    const giveUp = new AbortController()
    const { signal } = giveUp
    for await (const { status } of audience.each('ask', { text: '?' }, { signal })) {
      expect(status).toBe('ok')
      break
    }
    expect(getEventListeners(signal, 'abort')).toEqual([])
    const outcomes = collect(audience.each('ask', { text: '?' }, { signal }))
    const reason = new Error('enough')
    setTimeout(() => giveUp.abort(reason), 20)
    const error = expect.objectContaining({ cause: reason })
    expect(await outcomes).toMatchObject([{ status: 'ok' }, { status: 'error', error }])
    const late = await collect(audience.each('ask', { text: '?' }, { signal }))
    expect(late).toMatchObject([{ error }, { error }])
  } finally {
    any.mockRestore()
  }
})

test('a signal that is none is named', async () => {
  const { audience } = connect([async () => 'quick'])
  const outcomes = audience.each('ask', { text: '?' }, { signal: {} as AbortSignal })
  const error = expect.objectContaining({ method: 'ask', name: 'RpcConfigError' })
  await expect(collect(outcomes)).rejects.toEqual(error)
})

test('a notification reaches all that are there, and counts them', async () => {
  const { channels, audience, told } = connect([never, never, never])
  await audience.call('ask', { text: 'ready?' }, { timeout: 1 })
  await channels[1]?.close()
  expect(await audience.notify('tell', { text: 'hi' })).toBe(2)
  await vi.waitFor(
    () =>
      expect(told.mock.calls).toEqual([
        [0, 'hi'],
        [2, 'hi'],
      ]),
    { timeout: 10_000 },
  )
})

test('its targets are those of the moment; of none, nothing comes', async () => {
  const channels: Asked[] = []
  const audience = createAudience<(typeof contract)['client'], Asked>(() => channels)
  expect(audience.size).toBe(0)
  expect(await audience.call('ask', { text: '?' })).toEqual([])
  expect(await collect(audience.each('ask', { text: '?' }))).toEqual([])
  expect(await audience.notify('tell', { text: 'hi' })).toBe(0)
  channels.push(...connect([async () => 'here']).channels)
  expect(audience.size).toBe(1)
  expect(await audience.call('ask', { text: '?' })).toMatchObject([{ value: 'here' }])
})
