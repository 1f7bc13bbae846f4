import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { createEndpoint } from '@flashrpc/core/server'
import { describe, expect, test } from 'vitest'
import { truncateReason } from '../src/transport/web-socket.js'

/** What React Native, jsdom and others do not all have. */
const MISSING = [
  'TextDecoder',
  'TextEncoder',
  'crypto',
  'structuredClone',
  'WebSocket',
  'BroadcastChannel',
  'AbortSignal.any',
  'AbortSignal.timeout',
]

const program = new URL('support/without-globals.ts', import.meta.url).pathname

async function run(names: readonly string[], args: string[], env = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '--conditions', '@flashrpc/source', program, names.join(','), ...args],
    { env: { ...process.env, ...env }, timeout: 30_000 },
  )
  return stdout.trim()
}

type Greets = { greet(params: { name: string }): string }

/** The sources of a package's entries; those that run in Node only are left out. */
function entriesOf(name: string, left: readonly string[] = []): string[] {
  const folder = new URL(`../../${name}/`, import.meta.url)
  const { exports } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'))
  return Object.entries<Record<string, string> | string>(exports).flatMap(([entry, target]) =>
    typeof target === 'string' || left.includes(entry)
      ? []
      : [new URL(target['@flashrpc/source'] ?? '', folder).href],
  )
}

// @msgpack/msgpack makes a TextEncoder and a TextDecoder of its own as it is imported.
const entries = [
  ...entriesOf('core', ['./msgpack', './testing', './server']),
  ...entriesOf('react'),
]
const index = new URL('../src/index.ts', import.meta.url).href
const msgpack = new URL('../src/msgpack.ts', import.meta.url).href

describe('without globals', { timeout: 30_000 }, () => {
  test.each(entries)('%s can be imported', async (entry) => {
    expect(await run(MISSING, [entry])).toBe('imported')
  })

  test('a client that speaks JSON in text frames needs only crypto', async () => {
    await using endpoint = createEndpoint<Greets>({
      methods: { greet: ({ name }) => `Hello, ${name} 👋` },
    })
    const { url } = await endpoint.listen()
    const others = MISSING.filter((name) => name !== 'crypto')
    expect(await run(others, [index, url])).toBe('Hello, Ada 👋\nclosed')
  })

  test.each([
    [
      'crypto',
      {},
      /^RpcConfigError: There is no crypto here\. .*"react-native-get-random-values"$/,
    ],
    [
      'TextEncoder',
      { FRAME_TYPE: 'binary' },
      /There is no TextEncoder here\. .*"fast-text-encoding"/,
    ],
  ])('what needs %s names the polyfill', async (name, env, error) => {
    await using endpoint = createEndpoint<Greets>({
      methods: { greet: ({ name }) => `Hello, ${name}` },
    })
    const { url } = await endpoint.listen()
    expect(await run([name], [index, url], env)).toMatch(error)
  })

  test('a binary frame that can not be read is told to onError, and ends the client', async () => {
    await using endpoint = createEndpoint<Greets>({
      frameType: 'binary',
      methods: { greet: ({ name }) => `Hello, ${name}` },
    })
    const { url } = await endpoint.listen()
    const said = (await run(['TextDecoder'], [index, url])).split('\n')
    const why = 'There is no TextDecoder here. Import a polyfill ahead of everything else'
    expect(said).toEqual([
      expect.stringMatching(`^onError: RpcConfigError: ${why}`),
      expect.stringMatching(`^RpcDisconnectedError: .*${why}`),
      'closed',
    ])
  })

  test.each([
    ['TextDecoder', 'There is no TextDecoder here. .*"fast-text-encoding"'],
    ['TextEncoder', 'There is no TextEncoder.encodeInto here. .*-encodeinto"'],
    ['TextEncoder.prototype.encodeInto', 'There is no TextEncoder.encodeInto here. .*-encodeinto"'],
  ])(
    'the codec for MessagePack, which needs %s as it is imported, says so',
    async (name, error) => {
      expect(await run([name], [msgpack])).toMatch(new RegExp(`^RpcConfigError: ${error}`))
    },
  )
})

test.each([
  ['a reason', 'a reason'],
  ['x'.repeat(123), 'x'.repeat(123)],
  ['x'.repeat(124), 'x'.repeat(120)],
  ['é'.repeat(70), 'é'.repeat(60)],
  [`x${'👋'.repeat(40)}`, `x${'👋'.repeat(29)}`],
])('a reason is cut to what a close frame carries: %s', (reason, cut) => {
  expect(truncateReason(reason)).toBe(cut)
})
