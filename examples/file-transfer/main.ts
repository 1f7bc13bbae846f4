import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { createFaultProxy } from '@flashrpc/core/testing'
import { Program } from './program.js'
import { readSize } from './sizes.js'

/** The most that the memory of either side may grow by, whatever the size of the file. */
const MAX_GROWTH = '150 MiB'

/** What each program prints at its end. */
const GROWTH = /^memory grew by (.*) at the most$/m

const [text = '64MiB'] = process.argv.slice(2)
const size = readSize(text)

const server = new Program('server.ts', [], { PORT: '0' })
try {
  const folder = await server.prints(/^files in (.*)$/m)
  const { port, pathname } = new URL(await server.prints(/listening on (\S+)/))
  await using proxy = await createFaultProxy({ port: Number(port) })
  const url = ['--url', proxy.url('ws', pathname)]

  console.log(`${text} up, over a connection that is cut in the middle:`)
  proxy.cutAfter({ up: size / 2, once: true })
  await transfer('upload', ...url, 'upload', '--generate', text, 'clip.bin')
  console.log(`  connections: ${proxy.accepted}`)

  console.log(`${text} down, the same:`)
  const before = proxy.accepted
  proxy.cutAfter({ down: size / 2, once: true })
  await transfer('download', ...url, 'download', 'clip.bin')
  console.log(`  connections: ${proxy.accepted - before}`)

  console.log('Ctrl-C in the middle:')
  // So slow that there is time for it.
  proxy.throttle({ up: size / 8, down: size / 8 })
  await interrupt('upload', ...url, 'upload', '--generate', text, 'half.bin')
  await interrupt('download', ...url, 'download', 'clip.bin')

  server.interrupt()
  assertFlat('server', await server.prints(GROWTH))
  console.log(`The server's memory grew by less than ${MAX_GROWTH}`)
  await server.ended()
  console.log(`Files it left behind: ${existsSync(folder) ? 'some' : 'none'}`)
} finally {
  server.interrupt()
}

/** Runs a client to its end. */
async function transfer(what: string, ...args: string[]): Promise<void> {
  const client = new Program('client.ts', args)
  // It has compared its hash with the server's before.
  await client.prints(/^([0-9a-f]{64})/m)
  assertFlat('client', await client.prints(GROWTH))
  assert.equal(await client.ended(), 0)
  assert.equal(await server.prints(new RegExp(`${what} ends after (\\d+)`)), String(size))
  console.log('  the same SHA-256 on both sides')
  console.log(`  the client's memory grew by less than ${MAX_GROWTH}`)
}

/** Ends a client while it transfers; the server's source, or its sink, ends with it. */
async function interrupt(what: string, ...args: string[]): Promise<void> {
  const client = new Program('client.ts', args)
  await server.prints(new RegExp(`${what} (begins)`))
  await wait(1_000)
  client.interrupt()
  const transferred = Number(await server.prints(new RegExp(`${what} ends after (\\d+)`)))
  assert(transferred > 0 && transferred < size)
  console.log(`  ${what}: exit code ${await client.ended()}, and the server has ended it as well`)
}

function assertFlat(who: string, growth: string): void {
  console.error(`memory of the ${who}: grew by ${growth}`)
  assert(readSize(growth) < readSize(MAX_GROWTH), `The memory grew by ${growth}`)
}
