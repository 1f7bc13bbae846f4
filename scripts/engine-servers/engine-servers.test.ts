import { describe, expect, test } from 'vitest'
import type { EngineServer } from './engine-server.js'
import { findServer } from './engine-server.js'
import { natsProgram, startNats } from './nats-server.js'
import { redisProgram, startRedis } from './redis-server.js'

const KINDS = [
  ['nats-server', natsProgram, (): Promise<EngineServer> => startNats({ jetStream: true })],
  ['redis-server', redisProgram, (): Promise<EngineServer> => startRedis()],
] as const

describe.each(KINDS)('%s', (_name, program, start) => {
  const why = program.missing ? ` (skipped: ${program.missing})` : ''

  test.skipIf(program.missing)(`starts beside others, and again where it was${why}`, async () => {
    await using one = await start()
    await using other = await start()
    expect(one.port).not.toBe(other.port)
    const { port, pid } = one
    await one.kill()
    await one.restart()
    expect(one.port).toBe(port)
    expect(one.pid).not.toBe(pid)
  })
})

test('a program that is not there is told of, or is an error where it is required', () => {
  expect(findServer('no-such-server', 'FLASHRPC_REQUIRE_NOTHING')).toStrictEqual({
    missing: 'no-such-server is not installed; on Debian: apt-get install no-such-server',
  })
  process.env.FLASHRPC_REQUIRE_NO_SUCH = '1'
  try {
    expect(() => findServer('no-such-server', 'FLASHRPC_REQUIRE_NO_SUCH')).toThrow(/not installed/)
  } finally {
    delete process.env.FLASHRPC_REQUIRE_NO_SUCH
  }
})
