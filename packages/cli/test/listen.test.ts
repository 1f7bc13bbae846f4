import { type Codec, jsonCodec } from '@flashrpc/core'
import { pythonDialect } from '@flashrpc/core/python'
import { createEndpoint } from '@flashrpc/core/server'
import { expect, test } from 'vitest'
import { Cli, run } from './support/cli.js'
import { eventually } from './support/eventually.js'
import { type Options, serve } from './support/serve.js'

/** Ticks, and asks, as a client connects. */
function greeting(answers: unknown[]): Options {
  return {
    onConnect: [
      async ({ other }) => {
        for (let n = 1; n <= 2; n++) await other.tick({ n })
        answers.push(await other.confirm({ text: 'Deploy?' }).catch((error) => error.code))
      },
    ],
  }
}

test('prints what the server calls, and says that it is not here', async () => {
  const answers: unknown[] = []
  await using server = await serve(greeting(answers))
  const { code, stdout } = await run(['listen', server.url, '--count', '3'])
  expect(code).toBe(0)
  expect(
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { kind: 'notification', method: 'tick', params: { n: 1 } },
    { kind: 'notification', method: 'tick', params: { n: 2 } },
    { kind: 'method', method: 'confirm', params: { text: 'Deploy?' } },
  ])
  await eventually(() => expect(answers).toEqual([-32601]))
})

test('answers as it is told', async () => {
  const answers: unknown[] = []
  await using server = await serve(greeting(answers))
  const answer = ['--answer', '{"confirm":"yes"}']
  const listening = await run(['listen', server.url, '--count', '3', ...answer])
  expect(listening.stdout).toContain(
    '{"kind":"method","method":"confirm","params":{"text":"Deploy?"},"answer":"yes"}\n',
  )
  const pretty = await run(['listen', server.url, '--count', '3', '--pretty', ...answer])
  expect(pretty.stdout).toBe(
    'tick({"n":1})  (notification)\ntick({"n":2})  (notification)\nconfirm({"text":"Deploy?"}) → "yes"\n',
  )
  await eventually(() => expect(answers).toEqual(['yes', 'yes']))
})

test('listens until Ctrl-C', async () => {
  await using server = await serve(greeting([]))
  await using cli = new Cli(['listen', server.url])
  await cli.until(({ values }) => values.length === 3)
  cli.child.kill('SIGINT')
  expect(await cli.ended).toBe(130)
  expect(cli.stderr).toBe(`connected to ${server.url}\n`)
  await eventually(() => expect(server.endpoint.channels.size).toBe(0))
})

test('says on stderr what can’t be read, whatever NODE_ENV is', async () => {
  // The second notification is not JSON.
  const codec: Codec = {
    ...jsonCodec,
    encode: (message) => {
      const text = jsonCodec.encode(message)
      return String(text).includes('"n":2') ? 'no JSON' : text
    },
  }
  await using server = await serve({ ...greeting([]), codec, logger: false })
  const before = process.env.NODE_ENV
  for (const mode of ['development', 'production']) {
    process.env.NODE_ENV = mode
    try {
      const { stderr } = await run(['listen', server.url, '--count', '2'])
      const [connected, ...said] = stderr.trim().split('\n')
      expect(connected).toBe(`connected to ${server.url}`)
      expect(said).toEqual([expect.stringMatching(/^flashrpc: channel \w+: A frame is not json: /)])
    } finally {
      process.env.NODE_ENV = before
    }
  }
})

test('connects again, and says so on stderr', async () => {
  await using server = await serve(greeting([]))
  await using cli = new Cli(['listen', server.url])
  await cli.until(({ values }) => values.length === 3)
  for (const channel of server.endpoint.channels) await channel.close(4000, 'Later')
  await cli.until(({ values }) => values.length === 6)
  expect(cli.stderr).toMatch(/lost \(4000: Later\).*; again in \d\.\d s\nconnected to /)
})

test('ends, with 3, where the server lets it in no more', async () => {
  await using server = await serve(greeting([]))
  await using cli = new Cli(['listen', server.url])
  await cli.until(({ values }) => values.length === 3)
  for (const channel of server.endpoint.channels) await channel.close(4403, 'No more')
  expect(await cli.ended).toBe(3)
  expect(cli.stderr).toContain('No more')
})

test('ends, with 0, when nobody reads it any more', async () => {
  await using server = await serve(greeting([]))
  await using cli = new Cli(['listen', server.url])
  await cli.until(({ values }) => values.length === 3)
  cli.child.stdout.destroy()
  const [channel] = server.endpoint.channels
  await channel?.other.tick({ n: 3 })
  await channel?.other.confirm({ text: 'Are you there?' }).catch(() => {})
  expect(await cli.ended).toBe(0)
})

test('hears a Python server, too', async () => {
  const answers: unknown[] = []
  await using endpoint = createEndpoint<object, { concat(params: { a: string }): string }>({
    dialect: pythonDialect(),
    methods: {},
    onConnect: [async ({ other }) => answers.push(await other.concat({ a: 'x' }))],
  })
  const { url } = await endpoint.listen()
  const flags = ['--dialect', 'python', '--count', '1', '--answer', '{"concat":"xy"}']
  expect((await run(['listen', url, ...flags])).stdout).toBe(
    '{"kind":"method","method":"concat","params":{"a":"x"},"answer":"xy"}\n',
  )
  await eventually(() => expect(answers).toEqual(['xy']))
})

test.each([
  [['--answer', '["yes"]'], /an object of answers/],
  [['--answer', 'yes'], /--answer must be JSON/],
  [['--count', '0'], /whole number/],
])('exits with 2 where the command line is wrong: %j', async (args, why) => {
  const { code, stderr } = await run(['listen', 'ws://127.0.0.1:1', ...args])
  expect(code).toBe(2)
  expect(stderr).toMatch(why)
})

test('exits with 3 where nobody listens', async () => {
  expect(await run(['listen', 'ws://127.0.0.1:1'])).toMatchObject({ code: 3, stdout: '' })
})
