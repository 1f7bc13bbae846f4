import { Writable } from 'node:stream'
import { createClient, type Logger } from '@flashrpc/core'
import { createEndpoint, RejectUpgrade } from '@flashrpc/core/server'
import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import { rejection } from './support/rejection.js'

/** What was logged, as `level message`. */
function createLog(): { logger: Logger; lines: string[] } {
  const lines: string[] = []
  const at = (level: string) => (message: string) => lines.push(`${level} ${message}`)
  return { logger: { debug: at('debug'), warn: at('warn'), error: at('error') }, lines }
}

interface Server {
  fail(): void
}

const fail = () => {
  throw new Error('the disk is full')
}

test('a server logs its connections, and where its handlers failed', async () => {
  const { logger, lines } = createLog()
  await using endpoint = createEndpoint<Server>({ methods: { fail }, logger })
  const { url } = await endpoint.listen()
  const client = createClient<Server>({ url })
  await rejection(client.other.fail())
  const [channel] = endpoint.channels
  await client.close()
  await vi.waitFor(() => expect(lines).toHaveLength(3), { timeout: 10_000 })
  expect(lines[0]).toBe(`debug flashrpc: channel ${channel?.id} is connected`)
  expect(lines[1]).toContain(
    `error flashrpc: channel ${channel?.id}: "fail" failed: Error: the disk is full\n    at`,
  )
  expect(lines[1]).toContain('logger.test.ts')
  expect(lines[2]).toMatch(/^debug flashrpc: channel \w+ is disconnected \(1000/)
})

test('a server logs whom it refused, and a client why it has no connection', async () => {
  const server = createLog()
  const client = createLog()
  const endpoint = createEndpoint<Server>({
    authenticate: () => {
      throw new RejectUpgrade(403, 'Not you')
    },
    methods: { fail },
    logger: server.logger,
  })
  const { url } = await endpoint.listen()
  await using forbidden = createClient<Server>({ url, logger: client.logger })
  await rejection(forbidden.connect())
  expect(server.lines).toEqual(['warn flashrpc: refused a connection from 127.0.0.1: 403 Not you'])
  expect(client.lines).toHaveLength(1)
  expect(client.lines[0]).toMatch(/^error flashrpc: .*403.*the client has stopped \(failed\)$/)
  await endpoint.close()

  const retrying = createLog()
  await using _away = createClient<Server>({ url, logger: retrying.logger })
  await vi.waitFor(() => expect(retrying.lines.length).toBeGreaterThan(0), { timeout: 10_000 })
  expect(retrying.lines[0]).toMatch(
    /^warn flashrpc: .*ECONNREFUSED.*the next attempt is in \d+ ms\)$/,
  )
})

test('a logger that fails harms nothing', async () => {
  const refuse = () => {
    throw new Error('no log today')
  }
  const logger = { debug: refuse, warn: refuse, error: refuse }
  await using endpoint = createEndpoint<Server>({ methods: { fail }, logger })
  const { url } = await endpoint.listen()
  await using client = createClient<Server>({ url, logger })
  expect(await rejection(client.other.fail())).toMatchObject({ code: -32603 })
})

test('pino is a logger, and so is the console', async () => {
  const written: string[] = []
  const sink = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk))
      done()
    },
  })
  const logger = pino({ level: 'debug' }, sink)
  await using endpoint = createEndpoint<Server>({ methods: { fail }, logger })
  const { url } = await endpoint.listen()
  await using client = createClient<Server>({ url })
  await client.connect()
  await vi.waitFor(() => expect(written.join('')).toContain('is connected'), { timeout: 10_000 })
  expect(console satisfies Logger).toBe(console)
})
