import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { type Codec, createClient, type Frame } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as ws from 'ws'
import { seededRandom } from '../src/testing/seeded-random.js'
import { polled } from './support/eventually.js'
import { acceptanceOf } from './support/http-server.js'
import {
  KINDS,
  LARGEST,
  type RandomStream,
  randomBytes,
  randomSize,
  randomStream,
  randomText,
} from './support/random-stream.js'

/**
 * A peer on the fast path, and one whose frames `ws` alone reads and writes, get the same bytes: they must deliver the
 * same, say the same of what is wrong, and write what `ws` reads as the same.
 *
 * FLASHRPC_FRAME_SEEDS says how many streams each of them gets (default 24); FLASHRPC_SEED repeats one.
 */
const { FLASHRPC_SEED, FLASHRPC_FRAME_SEEDS } = process.env
const SEEDS =
  FLASHRPC_SEED === undefined
    ? Array.from({ length: Number(FLASHRPC_FRAME_SEEDS ?? KINDS) }, (_, n) => 1_000 + n)
    : [Number(FLASHRPC_SEED)]

/** What the types of `ws` leave out. */
const { Receiver } = ws as unknown as {
  Receiver: new (options: { isServer: boolean; maxPayload: number }) => NodeJS.WritableStream
}

interface Told {
  told(params: { n: number }): void
}
interface Heard {
  heard(): void
}

/** What became of a stream. */
interface Outcome {
  /** The messages that were delivered, and what they were answered with. */
  readonly delivered: string[]
  readonly errors: string[]
  readonly closed: unknown[]
  /** What the peer wrote, as `ws` reads it. */
  written: Written
}

interface Written {
  readonly messages: string[]
  readonly pongs: string[]
  readonly end: unknown[]
}

/** A frame, in few characters. */
function described(frame: Frame | Buffer): string {
  const kind = typeof frame === 'string' ? 'text' : 'bytes'
  const short =
    typeof frame === 'string' ? JSON.stringify(frame) : Buffer.from(frame).toString('hex')
  if (short.length < 80) return `${kind} ${short}`
  return `${kind} of ${frame.length}: ${createHash('sha1').update(frame).digest('hex')}`
}

/** One peer that is tried, and the stream that it gets. */
class Trial {
  readonly outcome: Outcome = {
    delivered: [],
    errors: [],
    closed: [],
    written: { messages: [], pongs: [], end: [] },
  }
  /** What it tells the other side at each message that it is delivered. */
  readonly #telling: readonly (readonly Frame[])[]
  notify: (n: number) => void = () => {}

  constructor(seed: number) {
    const random = seededRandom(seed + 1e6)
    this.#telling = Array.from({ length: 60 }, () =>
      Array.from({ length: Math.floor(random() * 2.5) }, () => {
        const size = randomSize(random)
        return random() < 0.5 ? randomText(random, size) : randomBytes(random, size)
      }),
    )
  }

  /** Frames are what the stream has in place of JSON, and what is told. */
  get codec(): Codec {
    let next: Frame | undefined
    return {
      name: 'frames',
      encode: () => next as Frame,
      decode: (frame) => {
        const { delivered } = this.outcome
        delivered.push(described(frame))
        for (const told of this.#telling[delivered.length % this.#telling.length] ?? []) {
          next = told
          this.notify(delivered.length)
        }
        return { jsonrpc: '2.0', method: 'heard' }
      },
    }
  }

  /** The options that both sides have in common. */
  get options() {
    const { errors, closed } = this.outcome
    return {
      plain: true,
      codec: this.codec,
      heartbeat: false,
      limits: { message: LARGEST, waitingBytes: 64 * LARGEST },
      logger: false,
      onError: [(_: unknown, error: unknown) => void errors.push(String(error))],
      onDisconnect: [(_: unknown, info: unknown) => void closed.push(info)],
    } as const
  }
}

/** Writes a stream, reads all that comes, and ends. @returns what came. */
async function converse(wire: Duplex, { chunks, isTogether }: RandomStream, head: string) {
  const came: Buffer[] = []
  wire.on('error', () => {})
  wire.on('data', (chunk: Buffer) => {
    came.push(chunk)
    // It does not read for a while.
    if (chunk.length % 3 !== 0) return
    wire.pause()
    void setImmediate().then(() => wire.resume())
  })
  const closed = new Promise((resolve) => wire.once('close', resolve))
  if (isTogether) wire.cork()
  wire.write(head)
  for (const [n, chunk] of chunks.entries()) {
    wire.write(chunk)
    if (n === 0 && isTogether) wire.uncork()
    for (let turn = 0; turn < 3; turn++) await setImmediate()
  }
  wire.end()
  await closed
  return Buffer.concat(came)
}

/** @param isServed whether a server wrote it. */
function read(bytes: Buffer, isServed: boolean): Written {
  const written: Written = { messages: [], pongs: [], end: [] }
  const receiver = new Receiver({ isServer: !isServed, maxPayload: 0 })
  receiver.on('message', (data: Buffer, isBinary: boolean) =>
    written.messages.push(described(isBinary ? data : String(data))),
  )
  receiver.on('pong', (data: Buffer) => {
    // An empty one says that a message is arriving, every half second.
    if (data.length > 0) written.pongs.push(data.toString('hex'))
  })
  receiver.on('ping', () => written.end.push('ping'))
  receiver.on('conclude', (code: number, reason: Buffer) => written.end.push(code, String(reason)))
  receiver.on('error', (error: Error) => written.end.push(String(error)))
  receiver.write(bytes as unknown as string)
  return written
}

let tls: { key: string; cert: string }

beforeAll(async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  })
  tls = { key, cert }
})

async function listening(isSecure: boolean): Promise<{ server: Server; port: number }> {
  const server: Server = isSecure ? createHttpsServer(tls) : createHttpServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

const UPGRADE = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n')

/** A server that gets a stream of a client's. */
async function served(seed: number, isSecure: boolean, fastPath: boolean): Promise<Outcome> {
  const trial = new Trial(seed)
  const { server, port } = await listening(isSecure)
  const endpoint = createEndpoint<Heard, Told>({
    ...trial.options,
    fastPath,
    methods: { heard: () => {} },
    onConnect: [
      (channel) => {
        trial.notify = (n) => void channel.notify('told', { n }).catch(() => {})
      },
    ],
  })
  endpoint.attach(server)
  const wire = isSecure
    ? connectTls({ port, host: '127.0.0.1', ca: tls.cert })
    : connect(port, '127.0.0.1')
  await once(wire, isSecure ? 'secureConnect' : 'connect')
  const came = await converse(wire, randomStream(seed, true), UPGRADE)
  const { outcome } = trial
  await polled(() => outcome.closed.length).toBe(1)
  await endpoint.close()
  server.close()
  await once(server, 'close')
  outcome.written = read(came.subarray(came.indexOf('\r\n\r\n') + 4), true)
  return outcome
}

/** A client that gets a stream of a server's. */
async function called(seed: number, isSecure: boolean, fastPath: boolean): Promise<Outcome> {
  const trial = new Trial(seed)
  const { server, port } = await listening(isSecure)
  const conversation = once(server, 'upgrade').then(async ([request, wire, head]) => {
    const stream = randomStream(seed, false)
    return Buffer.concat([head, await converse(wire, stream, acceptanceOf(request))])
  })
  const client = createClient<Told, Heard>({
    ...trial.options,
    url: `${isSecure ? 'wss' : 'ws'}://127.0.0.1:${port}`,
    ...(isSecure && { tls: { ca: tls.cert } }),
    fastPath,
    retry: { maxAttempts: 1 },
    methods: { heard: () => {} },
  })
  trial.notify = (n) => void client.notify('told', { n }).catch(() => {})
  const { outcome } = trial
  await polled(() => outcome.closed.length).toBe(1)
  await client.close()
  const came = await conversation
  server.close()
  await once(server, 'close')
  outcome.written = read(came, false)
  return outcome
}

describe.each([
  ['a server', served],
  ['a client', called],
])('%s', (_, outcomeOf) => {
  const seen = { delivered: 0, errors: 0, messages: 0, pongs: 0, goodbyes: 0 }

  test.each([
    ['TCP', false],
    ['TLS', true],
  ])(
    'does over %s what it does where ws alone reads and writes frames',
    async (__, isSecure) => {
      for (const seed of SEEDS) {
        const fast = await outcomeOf(seed, isSecure, true)
        const plain = await outcomeOf(seed, isSecure, false)
        expect(fast, `FLASHRPC_SEED=${seed}`).toStrictEqual(plain)
        seen.delivered += plain.delivered.length
        seen.errors += plain.errors.length
        seen.messages += plain.written.messages.length
        seen.pongs += plain.written.pongs.length
        seen.goodbyes += plain.written.end.length / 2
      }
    },
    30_000 + SEEDS.length * 1_000,
  )

  afterAll(() => {
    // Each kind of thing has happened, unless there is one stream only.
    if (SEEDS.length >= KINDS) expect(Object.values(seen)).not.toContain(0)
  })
})
