import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import {
  type Client,
  type ClientStatus,
  createClient,
  RpcConfigError,
  RpcProxyError,
} from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { generate } from 'selfsigned'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { freePort } from '../../../scripts/free-port.js'
import { eventually, polled } from './support/eventually.js'
import { httpServer, refuse } from './support/http-server.js'
import { CountingProxy, refusingProxy } from './support/proxy-server.js'
import { until } from './support/until.js'

interface Server {
  echo(params: { text: string }): string
}

const text = 'x'.repeat(10_000)
const retry = { minDelayMs: 5, maxDelayMs: 10 }
const never = { minDelayMs: 1e9, maxDelayMs: 1e9 }

/** The servers that clients are to reach: `ws:` and, with a certificate made here, `wss:`. */
let url: string
let secureUrl: string
let pem: { key: string; cert: string }
const endpoint = createEndpoint<Server>({ methods: { echo: (params) => params.text } })

beforeAll(async () => {
  url = (await endpoint.listen()).url
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  pem = { key, cert }
  const server = createTlsServer(pem)
  endpoint.attach(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  secureUrl = `wss://127.0.0.1:${(server.address() as AddressInfo).port}`
  return async () => {
    await endpoint.close()
    server.close()
    await once(server, 'close')
  }
})

const VARIABLES = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy', 'ws_proxy', 'wss_proxy']

beforeEach(() => {
  for (const name of VARIABLES) {
    vi.stubEnv(name, '')
    vi.stubEnv(name.toUpperCase(), '')
  }
})

afterEach(() => vi.unstubAllEnvs())

/** What a client that can't connect says of it. */
async function errorOf(client: Client<object, Server>, status: ClientStatus) {
  const { lastError } = await until(client, status)
  expect(lastError).toBeInstanceOf(RpcProxyError)
  return lastError as RpcProxyError
}

const nameOf = (address: string) => new URL(address).host

describe('through a proxy', () => {
  test.each<[string, () => string, (proxy: string) => object | undefined]>([
    ['ws:', () => url, (proxy) => ({ proxy })],
    ['ws:', () => url, (proxy) => ({ proxy: new URL(proxy) })],
    ['ws:', () => url, (proxy) => void vi.stubEnv('HTTP_PROXY', proxy)],
    ['ws:', () => url, (proxy) => void vi.stubEnv('http_proxy', proxy)],
    ['ws:', () => url, (proxy) => void vi.stubEnv('http_proxy', new URL(proxy).host)],
    ['wss:', () => secureUrl, (proxy) => ({ proxy })],
    ['wss:', () => secureUrl, (proxy) => void vi.stubEnv('HTTPS_PROXY', proxy)],
    ['wss:', () => secureUrl, (proxy) => void vi.stubEnv('https_proxy', proxy)],
    ['wss:', () => secureUrl, (proxy) => void vi.stubEnv('https_proxy', new URL(proxy).host)],
  ])(
    'named by the option or the environment, all of a %s connection goes (%#)',
    async (_, target, name) => {
      await using proxy = await CountingProxy.listen()
      const options = name(`http://${proxy.address}`)
      await using client = createClient<Server>({
        url: target(),
        tls: { ca: pem.cert },
        ...options,
      })
      expect(await client.other.echo({ text })).toBe(text)
      expect(proxy.connects).toStrictEqual([nameOf(target())])
      expect(proxy.bytes).toBeGreaterThan(text.length)
      await client.close()
      await polled(() => proxy.open).toBe(0)
    },
  )

  test.each([
    ['user:secret', 'user:secret'],
    ['Ada%40example.com:p%3Aa%2Fss', 'Ada@example.com:p:a/ss'],
  ])('it goes with the credentials of its address, %s', async (written, credentials) => {
    await using proxy = await CountingProxy.listen({ credentials })
    for (const target of [url, secureUrl]) {
      await using client = createClient<Server>({
        url: target,
        proxy: `http://${written}@${proxy.address}`,
        tls: { ca: pem.cert },
      })
      expect(await client.other.echo({ text })).toBe(text)
    }
    expect(proxy.connects).toHaveLength(2)
  })

  test('that is spoken to over TLS it goes as well', async () => {
    await using proxy = await CountingProxy.listen({ server: createTlsServer(pem) })
    await using client = createClient<Server>({
      url: secureUrl,
      proxy: `https://${proxy.address}`,
      tls: { ca: [Buffer.from(pem.cert)] },
    })
    expect(await client.other.echo({ text })).toBe(text)
    expect(proxy.connects).toStrictEqual([nameOf(secureUrl)])
  })

  test('the headers go to the server, and not to the proxy', async () => {
    const seen: unknown[] = []
    await using server = await httpServer((socket, { headers }) => {
      seen.push(headers.authorization, headers['proxy-authorization'])
      refuse('403 Forbidden')(socket)
    })
    await using proxy = await CountingProxy.listen({ credentials: 'user:secret' })
    await using client = createClient<Server>({
      url: server.url,
      headers: { authorization: 'Bearer x' },
      proxy: `http://user:secret@${proxy.address}`,
    })
    const { lastError } = await until(client, 'failed')
    expect(seen).toStrictEqual(['Bearer x', undefined])
    // It was the server that refused.
    expect(lastError).toMatchObject({ httpStatus: 403 })
    expect(lastError).not.toBeInstanceOf(RpcProxyError)
  })

  test('it comes back through the proxy after a loss', async () => {
    await using proxy = await CountingProxy.listen()
    await using client = createClient<Server>({ url, proxy: `http://${proxy.address}`, retry })
    await client.connect()
    for (const channel of endpoint.channels) await channel.close(4000, 'Come again')
    await until(client, 'reconnecting')
    expect(await client.other.echo({ text })).toBe(text)
    expect(proxy.connects).toHaveLength(2)
  })

  test('a certificate that nobody vouches for is refused, and tls.rejectUnauthorized is heard', async () => {
    await using proxy = await CountingProxy.listen()
    const target = { url: secureUrl, proxy: `http://${proxy.address}` }
    await using client = createClient<Server>({ ...target, retry: never })
    const { lastError } = await until(client, 'reconnecting')
    expect(lastError?.message).toMatch(/self.signed|unable to verify/)
    expect(lastError).not.toBeInstanceOf(RpcProxyError)
    await using trusting = createClient<Server>({ ...target, tls: { rejectUnauthorized: false } })
    expect(await trusting.other.echo({ text })).toBe(text)
  })
})

describe('past a proxy', () => {
  test.each<[string, () => object | undefined]>([
    ['NO_PROXY names the server', () => void vi.stubEnv('NO_PROXY', 'a.example,127.0.0.1')],
    ['no_proxy names it', () => void vi.stubEnv('no_proxy', '127.0.0.1')],
    ['NO_PROXY names its port', () => void vi.stubEnv('NO_PROXY', nameOf(url))],
    ['NO_PROXY names the end of its name', () => void vi.stubEnv('NO_PROXY', '*.0.0.1')],
    ['NO_PROXY names all', () => void vi.stubEnv('NO_PROXY', '*')],
    ['proxy is false', () => ({ proxy: false })],
  ])('a client goes where %s', async (_, arrange) => {
    await using proxy = await CountingProxy.listen()
    vi.stubEnv('HTTP_PROXY', `http://${proxy.address}`)
    const options = arrange()
    await using client = createClient<Server>({ url, ...options })
    expect(await client.other.echo({ text })).toBe(text)
    expect(proxy.connects).toStrictEqual([])
  })

  test('ws: does not go through HTTPS_PROXY, nor wss: through HTTP_PROXY', async () => {
    await using proxy = await CountingProxy.listen()
    for (const [name, target] of [
      ['HTTPS_PROXY', url],
      ['HTTP_PROXY', secureUrl],
    ] as const) {
      vi.stubEnv(name, `http://${proxy.address}`)
      await using client = createClient<Server>({ url: target, tls: { ca: pem.cert } })
      expect(await client.other.echo({ text })).toBe(text)
      vi.stubEnv(name, '')
    }
    expect(proxy.connects).toStrictEqual([])
  })

  test('the option comes before the environment', async () => {
    await using proxy = await CountingProxy.listen()
    vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:1')
    vi.stubEnv('NO_PROXY', '*')
    await using client = createClient<Server>({ url, proxy: `http://${proxy.address}` })
    expect(await client.other.echo({ text })).toBe(text)
    expect(proxy.connects).toHaveLength(1)
  })
})

describe('a proxy that does not let a client through', () => {
  test.each([
    ['', /wants a user and a password.*http:\/\/user:password@host:port/],
    ['user:wrong@', /does not take the user and password/],
  ])(
    'with 407 stops it, names itself and the remedy, and keeps the secret (%j)',
    async (login, remedy) => {
      await using proxy = await CountingProxy.listen({ credentials: 'user:secret' })
      await using client = createClient<Server>({
        url,
        proxy: `http://${login}${proxy.address}`,
        retry,
      })
      const error = await errorOf(client, 'failed')
      expect(error).toMatchObject({ proxy: `http://${proxy.address}`, httpStatus: 407 })
      expect(error.message).toContain(`http://${proxy.address} answered HTTP 407`)
      expect(error.message).toContain(nameOf(url))
      expect(error.message).toMatch(remedy)
      expect(error.message).not.toContain('wrong')
      await new Promise((resolve) => setTimeout(resolve, 100))
      expect(proxy.connects).toHaveLength(1)
      expect(proxy.open).toBe(0)
    },
  )

  test('with 403 stops it', async () => {
    await using proxy = await refusingProxy(refuse('403 Filtered'))
    await using client = createClient<Server>({ url, proxy: proxy.url, retry })
    const error = await errorOf(client, 'failed')
    expect(error.message).toContain(`answered HTTP 403 Filtered to CONNECT ${nameOf(url)}`)
    expect(error.message).toContain('NO_PROXY')
    expect(proxy.connects).toBe(1)
  })

  test.each([
    '401 Unauthorized',
    '404 Not Found',
    '500 Unable to connect',
    '502 Bad Gateway',
    '503 Service Unavailable',
  ])('with %s is asked again, as it may be the way behind it', async (status) => {
    await using proxy = await refusingProxy(refuse(status))
    await using client = createClient<Server>({ url, proxy: proxy.url, retry })
    expect((await errorOf(client, 'reconnecting')).message).toContain(`HTTP ${status}`)
    await polled(() => proxy.connects).toBeGreaterThan(2)
  })

  test('by answering what is no HTTP is asked again', async () => {
    await using proxy = await refusingProxy((socket) => socket.end('SSH-2.0-OpenSSH\r\n'))
    await using client = createClient<Server>({ url, proxy: proxy.url, retry })
    expect((await errorOf(client, 'reconnecting')).message).toContain("can't be reached")
    await polled(() => proxy.connects).toBeGreaterThan(2)
  })

  test('for not being there is tried again, and found once it is', async () => {
    const port = await freePort()
    await using client = createClient<Server>({ url, proxy: `http://127.0.0.1:${port}`, retry })
    const error = await errorOf(client, 'reconnecting')
    expect(error.message).toContain(`http://127.0.0.1:${port} can't be reached`)
    expect(error.message).toContain('ECONNREFUSED')
    await using proxy = await CountingProxy.listen({ port })
    expect(await client.other.echo({ text })).toBe(text)
    expect(proxy.connects.length).toBeGreaterThan(0)
    await client.close()
  })

  test('and never answers is named when the time is over, and no socket to it stays', async () => {
    await using proxy = await refusingProxy(() => {})
    const options = { url, proxy: proxy.url, connectTimeoutMs: 100, retry: never }
    await using client = createClient<Server>(options)
    const { lastError } = await until(client, 'reconnecting')
    expect(lastError?.message).toContain(
      `no connection within 100 ms, through the proxy ${proxy.url}`,
    )
    await polled(() => proxy.open).toBe(0)
  })

  test('leaves no socket behind when the client closes meanwhile', async () => {
    await using proxy = await refusingProxy(() => {})
    await using client = createClient<Server>({ url, proxy: proxy.url })
    await polled(() => proxy.connects).toBe(1)
    await client.close()
    await polled(() => proxy.open).toBe(0)
  })
})

describe('bad input', () => {
  test.each<[object, RegExp]>([
    [{ proxy: 'proxy.example.com' }, /proxy is not a valid address.*http:\/\//],
    [{ proxy: '' }, /proxy is not a valid address/],
    [{ proxy: true }, /proxy is not a valid address/],
    [{ proxy: 'socks5://127.0.0.1:1080' }, /must begin with http: or https:, not socks5:/],
    [{ tls: 'ca' }, /tls takes an object of options/],
  ])('%j is refused at once', (options, message) => {
    const create = () => createClient({ url, ...options })
    expect(create).toThrow(RpcConfigError)
    expect(create).toThrow(message)
  })

  test.each(['http://user:secret@', 'socks5://user:secret@127.0.0.1:1080'])(
    '%s in the environment counts as a failed attempt, and keeps its secret',
    async (value) => {
      vi.stubEnv('HTTP_PROXY', value)
      await using client = createClient<Server>({ url, retry: never })
      const { lastError } = await until(client, 'reconnecting')
      expect(lastError?.message).toMatch(/HTTP_PROXY.*set proxy to false/)
      expect(lastError?.message).not.toContain('secret')
    },
  )
})

const hasTinyproxy = (process.env.PATH ?? '')
  .split(delimiter)
  .some((folder) => existsSync(join(folder, 'tinyproxy')))
const isRequired = process.env.FLASHRPC_REQUIRE_TINYPROXY === '1'
const why = hasTinyproxy ? '' : ' (skipped where tinyproxy is not on the PATH)'

describe.skipIf(!hasTinyproxy && !isRequired)(`Debian's tinyproxy${why}`, () => {
  let folder: string
  let port: number
  let tinyproxy: ChildProcess

  beforeAll(async () => {
    port = await freePort()
    folder = await mkdtemp(join(tmpdir(), 'flashrpc-'))
    const lines = [
      `Port ${port}`,
      'Listen 127.0.0.1',
      'Allow 127.0.0.1',
      'BasicAuth user secret',
      'LogLevel Info',
      `LogFile "${join(folder, 'log')}"`,
    ]
    await writeFile(join(folder, 'conf'), `${lines.join('\n')}\n`)
    tinyproxy = spawn('tinyproxy', ['-d', '-c', join(folder, 'conf')], { stdio: 'ignore' })
    await once(tinyproxy, 'spawn')
    await eventually(async () => {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      socket.destroy()
    })
  })

  afterAll(async () => {
    tinyproxy.kill()
    if (tinyproxy.exitCode === null) await once(tinyproxy, 'exit')
    await rm(folder, { recursive: true, force: true })
  })

  test.each<[string, () => string]>([
    ['ws:', () => url],
    ['wss:', () => secureUrl],
  ])('carries %s, by its own log', async (_, target) => {
    await using client = createClient<Server>({
      url: target(),
      proxy: `http://user:secret@127.0.0.1:${port}`,
      tls: { ca: pem.cert },
    })
    expect(await client.other.echo({ text })).toBe(text)
    const log = await readFile(join(folder, 'log'), 'utf8')
    expect(log).toContain(`CONNECT ${nameOf(target())}`)
  })

  test('asks for a user and a password, and is named', async () => {
    await using client = createClient<Server>({ url, proxy: `http://127.0.0.1:${port}`, retry })
    expect((await errorOf(client, 'failed')).message).toMatch(/407.*wants a user and a password/)
  })

  test('that can not reach the server is asked again', async () => {
    const nobody = `ws://127.0.0.1:${await freePort()}`
    const proxy = `http://user:secret@127.0.0.1:${port}`
    await using client = createClient<Server>({ url: nobody, proxy, retry: never })
    expect((await errorOf(client, 'reconnecting')).httpStatus).toBeGreaterThanOrEqual(500)
  })
})
