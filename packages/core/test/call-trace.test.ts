import { once } from 'node:events'
import {
  type Channel,
  type ChannelOptions,
  createClient,
  defineContract,
  type HandlerContext,
  type Middleware,
  method,
  notification,
  RpcConfigError,
  RpcError,
  stream,
} from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { freePort } from '../../../scripts/free-port.js'
import { polled } from './support/eventually.js'
import { forkProgram } from './support/fork-program.js'
import { pairOf } from './support/pair.js'
import { rejection } from './support/rejection.js'

/** The stack of a call's error shows where the call was made, to those who want that. */

const contract = defineContract({
  server: {
    fail: method(),
    hang: method(),
    count: stream(),
    sum: method({ params: z.unknown(), input: z.unknown() }),
    note: notification(),
  },
  client: { ask: method() },
})
type Server = typeof contract.server
type Page = typeof contract.client

const methods = {
  fail: () => {
    throw new RpcError(4004, 'It failed\nover two lines')
  },
  hang: () => new Promise<void>(() => {}),
  count: async function* () {
    yield 1
    throw new RpcError(4005, 'No more')
  },
  sum: async (_: unknown, { input }: HandlerContext) => {
    for await (const _item of input) void _item
    return 1
  },
  note: () => {},
}

function connect(options: ChannelOptions = {}): Channel<Page, Server> {
  return pairOf(contract, { server: { methods }, client: options }).client
}

/** Each is of its own name, by which its frame is known. */
const calls: Record<string, (client: Channel<Page, Server>) => Promise<unknown>> = {
  asFunction: async (client) => client.other.fail(),
  byName: async (client) => client.call('fail'),
  tooLong: async (client) => client.other.hang(undefined, { timeout: 1 }),
  givenUp: async (client) => client.other.hang(undefined, { signal: AbortSignal.timeout(1) }),
  refused: async (client) => client.other.hang(undefined, { timeout: Number.NaN }),
  unsendable: async (client) => client.call('sum', { n: 1n } as never, { input: [] } as never),
  badInput: async (client) => client.call('sum', {}, { input: failing() } as never),
  streamed: async (client) => {
    for await (const _ of client.other.count()) void _
  },
  streamedByName: async (client) => {
    for await (const _ of client.stream('count')) void _
  },
  streamRefused: async (client) => {
    for await (const _ of client.stream('count', undefined, { timeout: -1 })) void _
  },
  noted: async (client) => client.notify('note', { n: 1n } as never),
}

async function* failing(): AsyncGenerator<number> {
  yield 1
  throw new Error('no more items')
}

/** The first frame behind the message. */
function firstFrame({ name, message, stack = '' }: Error): string | undefined {
  expect(stack.startsWith(`${name}: ${message}\n    at `)).toBe(true)
  return stack.slice(`${name}: ${message}\n`.length).split('\n')[0]
}

describe.each(Object.entries(calls))('%s', (name, call) => {
  test('shows its caller', async () => {
    const thrown = (await rejection(call(connect({ traceCalls: true })))) as Error
    expect(thrown).toBeInstanceOf(RpcError)
    expect(firstFrame(thrown)).toMatch(new RegExp(`at .*${name}.*call-trace\\.test\\.ts`))
  })

  test('shows it through middleware', async () => {
    const use: Middleware = (_, next) => next()
    const thrown = (await rejection(call(connect({ traceCalls: true, use })))) as Error
    expect(firstFrame(thrown)).toMatch(new RegExp(`at .*${name}.*call-trace\\.test\\.ts`))
  })
})

test('an error of a call from a server to its clients shows the caller, too', async () => {
  await using endpoint = createEndpoint(contract, { methods, traceCalls: true })
  const { url } = await endpoint.listen()
  const ask = () => {
    throw new RpcError(4006, 'Not now')
  }
  await using _client = createClient(contract, { url, methods: { ask } })
  await polled(() => endpoint.all.size).toBe(1)
  const askAll = async () => {
    const [outcome] = await endpoint.all.call('ask')
    throw outcome?.status === 'error' ? outcome.error : new Error('It was answered')
  }
  const thrown = (await rejection(askAll())) as Error
  expect(thrown.stack).toMatch(/Not now\n(.*\n)*.*askAll.*call-trace\.test\.ts/)
})

test('and one of a client whose server is down', async () => {
  const url = `ws://127.0.0.1:${await freePort()}`
  await using client = createClient(contract, { url, traceCalls: true, timeout: 1 })
  const askInVain = async () => client.other.fail()
  expect(firstFrame((await rejection(askInVain())) as Error)).toMatch(/askInVain/)
})

test('nothing is shown unless it is asked for', async () => {
  for (const options of [{}, { traceCalls: false }]) {
    const thrown = (await rejection(calls.tooLong?.(connect(options)) as never)) as Error
    expect(thrown.stack).not.toContain('call-trace.test.ts')
  }
  expect(() => connect({ traceCalls: 1 as never })).toThrow(RpcConfigError)
})

test.each([
  ['nobody, and nothing is captured', [], {}, false],
  ['nobody, whatever NODE_ENV says', [], { NODE_ENV: 'development' }, false],
  ['those who run with the condition development', ['--conditions=development'], {}, true],
])('in a program of its own it is asked for by %s', async (_, flags, env, isShown) => {
  const program = new URL('support/traced-process.ts', import.meta.url)
  const before = process.env.NODE_ENV
  Object.assign(process.env, env)
  if (!('NODE_ENV' in env)) delete process.env.NODE_ENV
  const child = forkProgram(program, { flags })
  if (before === undefined) delete process.env.NODE_ENV
  else process.env.NODE_ENV = before
  onTestFinished(() => void child.kill('SIGKILL'))
  const [{ stack, captured }] = (await once(child, 'message')) as [
    { stack: string; captured: number },
  ]
  expect(stack).toContain('It failed')
  expect(stack.includes('askInVain')).toBe(isShown)
  expect(captured).toBe(isShown ? 1 : 0)
})
