import { expect, test } from 'vitest'
import { Cli, run } from './support/cli.js'
import { eventually } from './support/eventually.js'
import { serve } from './support/serve.js'

const sum = '{"a":5,"b":10}'

test('prints how many calls were answered, and how fast', async () => {
  await using server = await serve()
  const { code, stdout } = await run(['bench', server.url, 'add', sum, '-n', '200', '-c', '7'])
  expect(code).toBe(0)
  const report = JSON.parse(stdout)
  expect(report).toEqual({
    calls: 200,
    seconds: expect.any(Number),
    callsPerSecond: expect.any(Number),
    latencyMs: { p50: expect.any(Number), p99: expect.any(Number), max: expect.any(Number) },
    errors: {},
  })
  expect(report.callsPerSecond).toBeCloseTo(report.calls / report.seconds)
  const { p50, p99, max } = report.latencyMs
  expect([p50, p99, max]).toEqual([p50, p99, max].sort((a, b) => a - b))
})

test('prints it for people', async () => {
  await using server = await serve()
  const { stdout } = await run(['bench', server.url, 'add', sum, '-n', '50', '--pretty'])
  expect(stdout).toMatch(
    /^50 calls in \d+\.\d\d s: \d+ calls\/s\nanswered within [\d.]+ ms \(p50\), [\d.]+ ms \(p99\), [\d.]+ ms at the most\n$/,
  )
})

test('makes as many calls at a time as it is told', async () => {
  let now = 0
  let most = 0
  let calls = 0
  const hang = async () => {
    calls++
    most = Math.max(most, ++now)
    await new Promise((resolve) => setTimeout(resolve, 5))
    now--
  }
  await using server = await serve({ methods: { hang } as never })
  expect((await run(['bench', server.url, 'hang', '-n', '30', '-c', '5'])).code).toBe(0)
  expect({ calls, most }).toEqual({ calls: 30, most: 5 })
})

test('counts errors by their code, and exits with 1', async () => {
  await using server = await serve()
  const { code, stdout, stderr } = await run(['bench', server.url, 'add', '{"a":5}', '-n', '20'])
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({ calls: 20, latencyMs: null, errors: { '-32602': 20 } })
  expect(stderr).toBe('flashrpc: 20 of 20 calls ended with an error\n')
})

test('ends with 3 where the connection is lost', async () => {
  await using server = await serve()
  await using cli = new Cli(['bench', server.url, 'hang', '-n', '20'])
  await eventually(() => expect(server.events).toHaveLength(10))
  for (const channel of server.endpoint.channels) await channel.close()
  expect(await cli.ended).toBe(3)
})

test('prints what there is at Ctrl-C', async () => {
  await using server = await serve()
  await using cli = new Cli(['bench', server.url, 'hang', '-n', '20'])
  await eventually(() => expect(server.events).toHaveLength(10))
  cli.child.kill('SIGINT')
  expect(await cli.ended).toBe(130)
  expect(cli.values).toMatchObject([{ calls: 0, errors: {} }])
})

test.each([
  [['-n', '0'], /whole number/],
  [['-n', '1000001'], /1000000 at the most/],
  [['-c', '1001'], /1000 at the most/],
])('exits with 2 where it is told too much: %j', async (args, why) => {
  const { code, stderr } = await run(['bench', 'ws://127.0.0.1:1', 'add', ...args])
  expect(code).toBe(2)
  expect(stderr).toMatch(why)
})
