import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createChannel, createClient, memoryTransportPair } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { polled } from './support/eventually.js'

const program = fileURLToPath(new URL('support/failing-program.ts', import.meta.url))

/**
 * Runs a program in which everything fails.
 *
 * @param before JavaScript that runs first.
 * @returns what was printed.
 */
async function printed(
  environment: string | undefined,
  { before = '', args = [] }: { before?: string; args?: readonly string[] } = {},
): Promise<string> {
  const { NODE_ENV: _, ...env } = process.env
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [
      ...['--import', `data:text/javascript,${encodeURIComponent(before)}`],
      ...['--import', 'tsx', '--conditions', '@flashrpc/source', program, ...args],
    ],
    {
      env: { ...env, ...(environment !== undefined && { NODE_ENV: environment }) },
      timeout: 30_000,
    },
  )
  expect(stdout).toBe('done\n')
  return stderr
}

/** How often a text stands in another. */
function times(text: string, part: string): number {
  return text.split(part).length - 1
}

describe('without a logger', () => {
  let unset: string
  /** How long the program ran. */
  let seconds: number

  beforeAll(async () => {
    const begun = performance.now()
    unset = await printed(undefined)
    seconds = (performance.now() - begun) / 1_000
  })

  test.each([
    [
      'a handler that throws, with its method and stack',
      /"add" failed: Error: the disk is full\n +at .*failing-program\.ts/,
    ],
    ['a result that can’t be sent', /The answer of "cycle" can't be sent as json: .*circular/i],
    [
      'a listener of progress that throws',
      /progress of "copy" failed: Error: onProgress broke\n +at /,
    ],
    ['a notification with invalid params', /"note" was dropped: Invalid params for "note": text: /],
    ['a notification that nobody knows', /"noet" was dropped: .*"noet"/],
    ['a frame that can’t be read', /A frame is not json/],
    ['onConnect that throws', /onConnect failed: Error: onConnect broke\n +at /],
    ['onDisconnect that throws', /onDisconnect failed: Error: onDisconnect broke\n +at /],
    ['onError that throws', /onError failed: Error: onError broke\n +at /],
    ['onReject that throws', /onReject failed: Error: onReject broke\n +at /],
    ['a listener of the state that throws', /subscribe failed: Error: subscribe broke\n +at /],
    ['owner that throws', /owner failed: Error: owner broke\n +at /],
    ['authenticate that throws', /500 Authentication failed\nError: authenticate broke\n +at /],
    [
      'a socket that another listener answered',
      /500 This upgrade was answered or ended by another listener/,
    ],
    [
      'a page of another origin, with the line that lets it in',
      /403 The page is from "http:\/\/localhost:5173".* allowedOrigins: \['http:\/\/localhost:5173'\]\n/,
    ],
    [
      'a message that is too large',
      /A message is larger than limits\.message \(100000 bytes\)\. Raise the limit, or send a stream\n/,
    ],
    [
      'a path that nobody serves',
      /404 no listener serves the path "\/prc" on this server\. Connect to \/rpc/,
    ],
  ])('prints %s', (_, line) => {
    expect(unset).toMatch(line)
  })

  test('prints each text once a second', () => {
    expect(times(unset, '"add" failed')).toBeGreaterThan(0)
    expect(times(unset, '"add" failed')).toBeLessThanOrEqual(Math.ceil(seconds))
  })

  test('prints in development, too', async () => {
    expect(await printed('development')).toContain('"add" failed: Error: the disk is full')
  })

  test('prints nothing in production', async () => {
    expect(await printed('production')).toBe('')
  })

  test.each([
    ['a packaged app of Electron prints nothing', 'process.type="browser"', false],
    [
      'one that was started from its folder prints',
      'process.type="browser";process.defaultApp=true',
      true,
    ],
  ])('%s', async (_, electron, prints) => {
    const lines = await printed(undefined, { before: electron })
    if (prints) expect(lines).toContain('"add" failed: Error: the disk is full')
    else expect(lines).toBe('')
  })
})

test('logger: false prints nothing', async () => {
  expect(await printed(undefined, { args: ['silent'] })).toBe('')
})

test.each([
  [
    'a message that is too large',
    'x'.repeat(1_001),
    'A message is larger than limits.message (1000 bytes). Raise the limit, or send a stream',
  ],
  [
    'a message that breaks the protocol',
    '{"jsonrpc":"2.0","method":"rpc.bye","params":{"recv":"x"}}',
    expect.stringMatching(
      /^The protocol was broken: recv and retryAfterMs of rpc\.bye must be numbers/,
    ),
  ],
])('%s is logged once, though it ends the connection', async (_, message, line) => {
  const lines: string[] = []
  const hear = (text: string) => lines.push(text.replace(/^flashrpc: channel [^\s:]+:? /, ''))
  await using endpoint = createEndpoint<{ ping(): string }>({
    methods: { ping: () => 'pong' },
    limits: { message: 1_000 },
    logger: { debug: hear, warn: hear, error: hear },
  })
  const { url } = await endpoint.listen()
  const socket = new WebSocket(url)
  await new Promise((resolve) => socket.once('open', resolve))
  socket.send('{"jsonrpc":"2.0","id":1,"method":"ping"}')
  socket.send(message)
  await polled(() => lines.at(-1)).toMatch(/^is disconnected/)
  expect(lines).toEqual(['is connected', line, expect.stringMatching(/^is disconnected/)])
})

describe('a stranger', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  test('can’t flood the console, whatever it sends', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    await using endpoint = createEndpoint<{ ping(): string }>({ methods: { ping: () => 'pong' } })
    const { url } = await endpoint.listen()
    const socket = new WebSocket(url)
    await new Promise((resolve) => socket.once('open', resolve))
    const notify = (name: string) => {
      const method = `${name}\n\u001b[2J${'x'.repeat(10_000)}`
      socket.send(JSON.stringify({ jsonrpc: '2.0', method }))
    }
    const answered = new Promise((resolve) => socket.once('message', resolve))
    const begun = performance.now()
    for (let n = 0; n < 500; n++) notify(`n${n}`)
    socket.send('{"jsonrpc":"2.0","id":1,"method":"ping"}')
    await answered
    const seconds = Math.ceil((performance.now() - begun) / 1_000)
    expect(error.mock.calls.length).toBeGreaterThan(0)
    expect(error.mock.calls.length).toBeLessThanOrEqual(20 * seconds)
    for (const [line] of error.mock.calls) {
      expect(line).toMatch(/^flashrpc: "n\d+\\n\\u001b\[2Jx+…" was dropped: .*$/)
      expect(line.length).toBeLessThan(1_000)
    }
    // How many lines are missing is said by itself, a second later.
    await polled(() => {
      const missing = warn.mock.calls.map(
        ([line]) => /^flashrpc: (\d+) messages were not printed: at most 20/.exec(line)?.[1],
      )
      return error.mock.calls.length + missing.reduce((sum, count) => sum + Number(count), 0)
    }).toBe(500)
    socket.terminate()
  })

  test('can’t hide the errors of handlers', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    await using endpoint = createEndpoint<{ pay(): string }>({
      methods: {
        pay: () => {
          throw new Error('the bank is closed')
        },
      },
    })
    const { url } = await endpoint.listen()
    const socket = new WebSocket(url)
    await new Promise((resolve) => socket.once('open', resolve))
    const answered = new Promise((resolve) => socket.once('message', resolve))
    for (let n = 0; n < 100; n++) socket.send(`{"jsonrpc":"2.0","method":"unknown${n}"}`)
    socket.send('{"jsonrpc":"2.0","id":1,"method":"pay"}')
    await answered
    const lines = error.mock.calls.map(([line]) => line as string)
    expect(lines.filter((line) => line.includes('was dropped')).length).toBeGreaterThan(0)
    expect(lines.filter((line) => line.includes('the bank is closed'))).toHaveLength(1)
    socket.terminate()
  })
})

test.each([
  ['of Node', ''],
  // As in a page, where a timer is a number.
  ['without unref', 'const set = setTimeout; globalThis.setTimeout = (run, ms) => +set(run, ms)'],
])('no timer %s keeps a program alive to count lines', { timeout: 30_000 }, async (_, timers) => {
  const logger = fileURLToPath(new URL('../src/logging/console-logger.ts', import.meta.url))
  const many = `
    import { consolePrinter } from ${JSON.stringify(logger)}
    ${timers}
    for (let n = 0; n < 30; n++) consolePrinter.print('error', 'line ' + n)
    console.log(process.getActiveResourcesInfo().includes('Timeout'))
  `
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    '--import',
    'tsx',
    '--input-type=module',
    '--eval',
    many,
  ])
  expect(times(stderr, 'line ')).toBe(20)
  expect(stdout).toBe('false\n')
})

describe('a logger that is none', () => {
  const makers = {
    createClient: (logger: never) =>
      createClient({ url: 'ws://127.0.0.1:1', autoConnect: false, logger }),
    createEndpoint: (logger: never) => createEndpoint({ methods: {}, logger }),
    createChannel: (logger: never) =>
      createChannel({ side: 'client', transport: memoryTransportPair()[0], logger }),
  }

  test.each(Object.entries(makers))('is refused by %s', (_, make) => {
    for (const logger of [true, 'console', null, {}, { error: () => {}, warn: () => {} }]) {
      expect(() => make(logger as never)).toThrow(
        'logger must have the functions debug, warn and error, such as console, or be false',
      )
    }
  })
})
