import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createEndpoint } from '@flashrpc/core/server'
import { afterEach, expect, test } from 'vitest'
import { eventually } from './support/eventually.js'
import { forkProgram } from './support/fork-program.js'

interface Page {
  tell(params: { text: string }): void
  ask(): number
}

const PROCESSES = 5
const EACH = 1_000
const ALL = PROCESSES * EACH
/** So many of each process do not read. */
const STALLED = 10

const children: ChildProcess[] = []

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})

const program = new URL('./support/many-clients.ts', import.meta.url)

async function start(url: string, first: number): Promise<ChildProcess> {
  const child = forkProgram(program, { args: [url, String(first), String(EACH)] })
  children.push(child)
  await once(child, 'message')
  return child
}

async function heardBy(child: ChildProcess): Promise<number> {
  child.send({})
  const [{ heard }] = await once(child, 'message')
  return heard
}

test('5,000 connections: each is told, each has its outcome once, and none holds up another', {
  timeout: 180_000,
}, async () => {
  await using endpoint = createEndpoint<Record<never, never>, Page>({
    methods: {},
    limits: { connections: ALL, connectionsPerSecond: Number.POSITIVE_INFINITY },
    // As many come at once: none of them is to be taken for dead meanwhile.
    heartbeat: false,
  })
  const { url } = await endpoint.listen()
  const clients = await Promise.all(
    Array.from({ length: PROCESSES }, (_, n) => start(url, n * EACH)),
  )
  await eventually(() => expect(endpoint.all.size).toBe(ALL))

  expect(await endpoint.all.notify('tell', { text: 'all' })).toBe(ALL)
  for (const child of clients) {
    await eventually(async () => expect(await heardBy(child)).toBe(EACH))
  }

  const outcomes = await endpoint.all.call('ask', undefined, { timeout: 60_000 })
  const values = outcomes.map((outcome) =>
    outcome.status === 'ok' ? outcome.value : outcome.error,
  )
  expect([...values].sort((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: ALL }, (_, n) => n),
  )

  // Fifty that do not read, a thousand whose process is killed while they are asked.
  for (const child of clients) {
    child.send({ stall: STALLED })
    await once(child, 'message')
  }
  const ends = new Map<unknown, string>()
  let answered = 0
  for await (const outcome of endpoint.all.each('ask', undefined, { timeout: 20_000 })) {
    expect(ends.has(outcome.channel)).toBe(false)
    ends.set(outcome.channel, outcome.status === 'ok' ? 'ok' : outcome.error.name)
    if (outcome.status === 'ok') answered++
    if (answered === 500) clients.at(-1)?.kill('SIGKILL')
    // Whoever reads has answered: what is left is waited for no longer.
    if (answered >= (PROCESSES - 1) * (EACH - STALLED) && ends.size >= ALL - PROCESSES * STALLED)
      break
  }
  const count = (name: string) => [...ends.values()].filter((end) => end === name).length
  expect(count('ok')).toBe(answered)
  expect(count('ok') + count('RpcDisconnectedError')).toBe(ends.size)
  expect(ends.size).toBeGreaterThanOrEqual(ALL - PROCESSES * STALLED)
  await eventually(() => expect(endpoint.all.size).toBe(ALL - EACH))
})
