import { RpcError } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { expect, test } from 'vitest'
import { run } from './support/cli.js'

/** What a server may say to steer the terminal, or to pass for a line of the program's own. */
const forged = 'x\nconnected to ws://evil \u001b[31m\u009b2J\u202e'
const controls = /[\p{Cc}\u202e]/u

interface Server {
  fail(): void
  tell(): string
}

type CallByName = { call(method: string, params: unknown): Promise<unknown> }

async function serve() {
  const endpoint = createEndpoint<Server>({
    methods: {
      fail: () => {
        throw new RpcError(4001, forged, { [forged]: forged })
      },
      tell: () => forged,
    },
    onConnect: [
      async (channel) => {
        await (channel as unknown as CallByName).call(forged, { a: forged }).catch(() => {})
        await channel.close(4000, forged)
      },
    ],
  })
  const { url } = await endpoint.listen()
  return { url, [Symbol.asyncDispose]: () => endpoint.close() }
}

function linesOf(text: string): string[] {
  return text.split('\n').filter(Boolean)
}

test.each([
  ['a result', ['call'], 'tell'],
  ['a result for people', ['call', '--pretty'], 'tell'],
  ['an error', ['call'], 'fail'],
  ['an error for people', ['call', '--pretty'], 'fail'],
])('%s of a server’s steers no terminal', async (_, command, method) => {
  await using server = await serve()
  const { stdout, stderr } = await run([...command, server.url, method])
  const lines = [...linesOf(stdout), ...linesOf(stderr)]
  expect(lines.join('')).toContain('x\\nconnected')
  for (const line of lines) {
    expect(line).not.toMatch(controls)
    expect(line).not.toMatch(/^connected to ws:\/\/evil/)
  }
})

test.each([['--json'], ['--pretty']])(
  'what a server calls, and closes with, steers no terminal: %s',
  async (flag) => {
    await using server = await serve()
    const { stdout, stderr } = await run([
      'listen',
      server.url,
      flag,
      '--count',
      '2',
      '--timeout',
      '2000',
    ])
    const lines = [...linesOf(stdout), ...linesOf(stderr)]
    expect(lines.join('')).toContain('x\\nconnected')
    for (const line of lines) {
      expect(line).not.toMatch(controls)
      expect(line).not.toMatch(/^connected to ws:\/\/evil/)
    }
  },
)
