import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
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

test.skipIf(natsProgram.missing)('ends with the process that has started it', async () => {
  const url = new URL('nats-server.ts', import.meta.url).href
  const program = `import { startNats } from ${JSON.stringify(url)}
    console.log((await startNats()).pid)
    process.exit()`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  await expect.poll(() => isRunning(Number(stdout)), { timeout: 5_000 }).toBe(false)
})

function isRunning(pid: number): boolean {
  expect(pid).toBeGreaterThan(0)
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

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
