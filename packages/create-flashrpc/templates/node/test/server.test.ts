import { createClient } from '@flashrpc/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { contract } from '../src/contract.ts'
import { startServer } from '../src/server.ts'

let server: Awaited<ReturnType<typeof startServer>>

beforeAll(async () => {
  server = await startServer(0)
})

afterAll(() => server.endpoint.close())

/** A client that gives this answer to each question, and keeps what it is told. */
function connect(answer: 'yes' | 'no') {
  const told: string[] = []
  const client = createClient(contract, {
    url: server.url,
    methods: { confirm: () => answer, notify: ({ text }) => void told.push(text) },
  })
  return { client, told }
}

test('adds', async () => {
  await using client = connect('yes').client
  expect(await client.other.add({ a: 5, b: 10 })).toBe(15)
})

test('asks its caller before it deploys', async () => {
  await using willing = connect('yes').client
  await using unwilling = connect('no').client
  expect(await willing.other.deploy({ version: 'v1' })).toBe('v1 is deployed')
  expect(await unwilling.other.deploy({ version: 'v1' })).toBe('v1 is not deployed')
})

test('passes on what one client says to all of them', async () => {
  const [one, two] = [connect('yes'), connect('yes')]
  await using _one = one.client
  await using _two = two.client
  await two.client.connect()
  await one.client.other.say({ text: 'Hello' })
  for (const { told } of [one, two]) {
    await expect.poll(() => told).toEqual(['Welcome!', 'Hello'])
  }
})
