import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, test, vi } from 'vitest'
import { type RawAnswer, rawRequest, UPGRADE } from './loopback-support/raw-request.js'
import { ORIGIN, serve } from './loopback-support/serve.js'

/** In what follows, PORT and TOKEN stand for the loopback's. */
const HOST = 'Host: 127.0.0.1:PORT'
const TARGET = 'GET /?token=TOKEN HTTP/1.1'
const BEARER = 'Authorization: Bearer TOKEN'

type Served = Awaited<ReturnType<typeof serve>>

/** Sends these lines; nothing that comes back has the token. */
async function ask({ loopback }: Served, lines: readonly string[]): Promise<RawAnswer> {
  const { port, token } = loopback
  const filled = lines.map((line) =>
    line
      .replaceAll('PORT', String(port))
      .replaceAll('TOKEN-UPPER', token.toUpperCase())
      .replaceAll('TOKEN-SHORT', token.slice(0, -1))
      .replaceAll(
        'TOKEN-OTHER',
        token.replaceAll(/./g, (digit) => (digit === '0' ? '1' : '0')),
      )
      .replaceAll('TOKEN-ENCODED', `%${token.charCodeAt(0).toString(16)}${token.slice(1)}`)
      .replaceAll('TOKEN', token),
  )
  const answer = await rawRequest(port, filled)
  expect(answer.head + answer.body).not.toContain(token)
  return answer
}

/** An upgrade with these lines in place of Host, target, and others. */
function upgrade(...lines: readonly string[]): string[] {
  const [target = '', ...headers] = lines
  return [target, ...headers, ...UPGRADE]
}

describe('the gate lets in', () => {
  test.each<[string, string[]]>([
    ['a page of the app with the token', [TARGET, HOST, `Origin: ${ORIGIN}`]],
    ['a program with the token in the query', [TARGET, HOST]],
    ['a program with the token as Bearer', ['GET / HTTP/1.1', HOST, BEARER]],
    ['the same, with an empty query', ['GET /? HTTP/1.1', HOST, BEARER]],
    ['the scheme in another case', ['GET / HTTP/1.1', HOST, 'Authorization: bearer TOKEN']],
    ['the names of headers in another case', ['GET / HTTP/1.1', HOST.toUpperCase(), BEARER]],
    ['the right token twice, in the query and as Bearer', [TARGET, HOST, BEARER]],
    ['more in the query', ['GET /?window=2&token=TOKEN&a=b HTTP/1.1', HOST]],
  ])('%s', async (_, lines) => {
    await using served = await serve()
    expect(await ask(served, upgrade(...lines))).toMatchObject({ status: 101 })
    expect(served.rejections).toStrictEqual([])
  })
})

describe('the gate refuses', () => {
  const host = (value: string): [string, string[], number, RegExp] => [
    `the Host "${value}"`,
    [TARGET, `Host: ${value}`],
    403,
    /is not "127\.0\.0\.1:\d+"/,
  ]
  const origin = (value: string): [string, string[], number, RegExp] => [
    `the Origin "${value}"`,
    [TARGET, HOST, `Origin: ${value}`],
    403,
    /none of this app's/,
  ]
  const target = (value: string): [string, string[], number, RegExp] => [
    `the target "${value}"`,
    [`GET ${value} HTTP/1.1`, HOST, BEARER],
    404,
    /path "\/"/,
  ]
  const token = (value: string): [string, string[], number, RegExp] => [
    `the query "${value}"`,
    [`GET /?${value} HTTP/1.1`, HOST, `Origin: ${ORIGIN}`],
    401,
    /token is not|no token/,
  ]
  const bearer = (value: string): [string, string[], number, RegExp] => [
    `"Authorization: ${value}"`,
    ['GET / HTTP/1.1', HOST, `Authorization: ${value}`],
    401,
    /token is not/,
  ]

  test.each<[string, string[], number, RegExp]>([
    host('localhost:PORT'),
    host('evil.test:PORT'),
    host('127.0.0.1'),
    host('127.0.0.1.:PORT'),
    host('127.0.0.1:PORT.'),
    host('127.0.0.1:0PORT'),
    host('127.0.0.1:PORT, 127.0.0.1:PORT'),
    host('user@127.0.0.1:PORT'),
    host('127.1:PORT'),
    host('0x7f.0.0.1:PORT'),
    host('2130706433:PORT'),
    host('[::1]:PORT'),
    host('[::ffff:127.0.0.1]:PORT'),
    host('127.0.0.1%3APORT'),
    host('127.0.0.1:PORT/'),
    host(''),
    ['no Host', [TARGET], 400, /one Host/],
    ['two Hosts', [TARGET, HOST, HOST], 400, /one Host/],
    ['another Host after the right one', [TARGET, HOST, 'HOST: evil.test'], 400, /one Host/],
    ['another Host before the right one', [TARGET, 'host: evil.test', HOST], 400, /one Host/],
    [
      'another Host behind thousands of headers',
      [TARGET, HOST, ...Array.from({ length: 2_500 }, () => 'a:'), 'Host: evil.test'],
      400,
      /one Host/,
    ],
    ['Origin null', [TARGET, HOST, 'Origin: null'], 403, /sandboxed iframes/],
    origin('https://evil.example'),
    origin('APP://demo'),
    origin('app://Demo'),
    origin('app://demo/'),
    origin('app://demo:1'),
    origin('app://demo.evil'),
    origin('xapp://demo'),
    origin('app://demo app://demo'),
    origin('app://demo, app://demo'),
    origin('app://dem%6f'),
    origin('http://127.0.0.1:PORT'),
    origin('file://'),
    origin('NULL'),
    origin(''),
    ['two Origins', [TARGET, HOST, ...Array(2).fill(`Origin: ${ORIGIN}`)], 400, /one Origin/],
    [
      'another Origin behind the right one',
      [TARGET, HOST, `Origin: ${ORIGIN}`, 'origin: https://evil.example'],
      400,
      /one Origin/,
    ],
    target('ws://127.0.0.1:PORT/?token=TOKEN'),
    target('http://127.0.0.1:PORT/'),
    target('http://evil.test/?token=TOKEN'),
    target('/ws?token=TOKEN'),
    target('//?token=TOKEN'),
    target('/.?token=TOKEN'),
    target('/index.html/..'),
    target('/%2F?token=TOKEN'),
    target('/%3Ftoken=TOKEN'),
    target('/;token=TOKEN'),
    target('/TOKEN'),
    ['POST', ['POST /?token=TOKEN HTTP/1.1', HOST, 'Content-Length: 0'], 405, /GET/],
    ['no token', ['GET / HTTP/1.1', HOST], 401, /no token/],
    token(''),
    token('token'),
    token('token='),
    token('token=TOKEN-OTHER'),
    token('token=TOKEN-SHORT'),
    token('token=TOKEN0'),
    token('token=TOKEN-UPPER'),
    token('token=TOKEN-ENCODED'),
    token('token=+TOKEN'),
    token('token=TOKEN%00'),
    token('token=TOKEN%26'),
    token('token=TOKEN#'),
    token('token=TOKEN;'),
    token('Token=TOKEN'),
    token('%74oken=TOKEN'),
    token('token[]=TOKEN'),
    token('TOKEN'),
    ['two tokens', ['GET /?token=TOKEN&token=TOKEN HTTP/1.1', HOST], 400, /one token/],
    ['a right and a wrong one', ['GET /?token=TOKEN&token=x HTTP/1.1', HOST], 400, /one token/],
    bearer(''),
    bearer('Bearer'),
    bearer('TOKEN'),
    bearer('Bearer TOKEN-OTHER'),
    bearer('Bearer TOKEN-SHORT'),
    bearer('Bearer TOKEN0'),
    bearer('Bearer TOKEN-UPPER'),
    bearer('Bearer TOKEN, Bearer TOKEN'),
    bearer('Bearer TOKEN TOKEN'),
    bearer('Basic TOKEN'),
    ['two Authorizations', ['GET / HTTP/1.1', HOST, BEARER, BEARER], 400, /one token/],
    [
      'the right token in the query and a wrong Bearer',
      [TARGET, HOST, 'Authorization: Bearer TOKEN-OTHER'],
      401,
      /token is not/,
    ],
    [
      'a wrong token in the query and the right Bearer',
      ['GET /?token=TOKEN-OTHER HTTP/1.1', HOST, BEARER],
      401,
      /token is not/,
    ],
    ['the token in a cookie', ['GET / HTTP/1.1', HOST, 'Cookie: token=TOKEN'], 401, /no token/],
    [
      'the token as a subprotocol',
      ['GET / HTTP/1.1', HOST, 'Sec-WebSocket-Protocol: TOKEN'],
      401,
      /no token/,
    ],
  ])('%s', async (_, lines, status, reason) => {
    const identify = vi.fn(() => 'somebody')
    await using served = await serve({ identify })
    const answer = await ask(served, upgrade(...lines))
    expect(answer.status).toBe(status)
    expect(answer.head).not.toMatch(/access-control|set-cookie/i)
    expect(answer.body).toMatch(reason)
    expect(answer.body).toMatch(/^.*\n$/)
    expect(served.rejections).toStrictEqual([
      { status, message: answer.body.trim(), request: expect.anything() },
    ])
    expect(served.lines).toStrictEqual([
      `flashrpc: refused a connection: ${status} ${answer.body.trim()}`,
    ])
    expect(identify).not.toHaveBeenCalled()
    expect(served.told()).not.toContain(served.loopback.token)
  })

  test('a right token from elsewhere as it does a wrong one: Host and Origin come first', async () => {
    await using served = await serve()
    const evil = 'Origin: https://evil.example'
    for (const query of ['token=TOKEN', 'token=x', '']) {
      const answer = await ask(served, upgrade(`GET /?${query} HTTP/1.1`, HOST, evil))
      expect(answer.status).toBe(403)
      expect(answer.body).toMatch(/none of this app/)
    }
  })

  test('every page where there are no origins', async () => {
    await using served = await serve({ origins: [] })
    expect(await ask(served, upgrade(TARGET, HOST, `Origin: ${ORIGIN}`))).toMatchObject({
      status: 403,
    })
    expect(await ask(served, upgrade(TARGET, HOST))).toMatchObject({ status: 101 })
  })

  test('by the origins it was made with, whatever becomes of the list', async () => {
    const origins = [ORIGIN]
    await using served = await serve({ origins })
    origins.push('https://evil.example')
    const page = upgrade(TARGET, HOST, 'Origin: https://evil.example')
    expect(await ask(served, page)).toMatchObject({ status: 403 })
  })

  test("the token of another loopback, and of this one's predecessor", async () => {
    await using first = await serve()
    await using second = await serve()
    expect(first.loopback.token).not.toBe(second.loopback.token)
    const lines = upgrade(`GET /?token=${first.loopback.token} HTTP/1.1`, HOST)
    expect(await ask(second, lines)).toMatchObject({ status: 401 })
  })

  test('with a reason of one short line, whatever is sent', async () => {
    await using served = await serve()
    const nasty = `\u00e9\u009b31m"${'x'.repeat(5_000)}`
    const { body } = await ask(served, upgrade(TARGET, HOST, `Origin: ${nasty}`))
    expect(body).toMatch(/^\P{Cc}{1,350}\n$/u)
    expect(served.lines.join()).toMatch(/^\P{Cc}{1,400}$/u)
  })

  test('with the headers that a status asks for', async () => {
    await using served = await serve()
    const unknown = await ask(served, upgrade('GET / HTTP/1.1', HOST))
    expect(unknown.head).toContain('WWW-Authenticate: Bearer')
    const post = await ask(served, upgrade('POST / HTTP/1.1', HOST))
    expect(post.head).toContain('Allow: GET')
  })

  test('and goes on where a logger or onReject fails', async () => {
    const fail = () => {
      throw new Error('The disk is full')
    }
    const onReject = vi.fn()
    await using served = await serve({
      logger: { debug: fail, warn: fail, error: fail },
      onReject: [fail, () => Promise.reject(new Error('No')), onReject],
    })
    expect(await ask(served, upgrade('GET / HTTP/1.1', HOST))).toMatchObject({ status: 401 })
    expect(await ask(served, upgrade(TARGET, HOST))).toMatchObject({ status: 101 })
    expect(onReject).toHaveBeenCalledTimes(1)
  })
})

describe('a request that asks for no WebSocket', () => {
  const preflight = [
    'Origin: https://evil.example',
    'Access-Control-Request-Method: GET',
    'Access-Control-Request-Private-Network: true',
  ]

  test.each<[string, string[], number, string]>([
    ['with the right Host', ['GET / HTTP/1.1', HOST], 426, 'Upgrade Required\n'],
    ['with the token', [TARGET, HOST, BEARER], 426, 'Upgrade Required\n'],
    ['for another path', ['GET /favicon.ico HTTP/1.1', HOST], 426, 'Upgrade Required\n'],
    ['that sends something', ['POST / HTTP/1.1', HOST, 'Content-Length: 9'], 426, 'Upgrade Req'],
    ['that asks before it does', ['OPTIONS / HTTP/1.1', HOST, ...preflight], 426, 'Upgrade Requ'],
    ['with another Host', ['GET / HTTP/1.1', 'Host: evil.test:PORT'], 403, 'Forbidden\n'],
    ['with the name localhost', [TARGET, 'Host: localhost:PORT'], 403, 'Forbidden\n'],
    ['with two Hosts', ['GET / HTTP/1.1', HOST, HOST], 403, 'Forbidden\n'],
    ['of HTTP/1.0, without a Host', ['GET / HTTP/1.0'], 403, 'Forbidden\n'],
    ['without a Host', ['GET / HTTP/1.1'], 400, ''],
    ['for a tunnel', ['CONNECT 127.0.0.1:PORT HTTP/1.1', HOST], 0, ''],
    ['of HTTP/2', ['PRI * HTTP/2.0', '', 'SM', ''], 400, ''],
    ['that is none', ['\x16\x03\x01 hello'], 400, ''],
    ['of too many headers', [TARGET, HOST, `Cookie: ${'x'.repeat(20_000)}`], 431, ''],
  ])('%s is told nothing, and its connection closed', async (_, lines, status, body) => {
    await using served = await serve()
    const answer = await ask(served, lines)
    expect(answer.status).toBe(status)
    expect(answer.head).not.toMatch(/access-control|set-cookie|flashrpc|server:/i)
    expect(answer.body.startsWith(body)).toBe(true)
    expect(answer.body.length).toBeLessThan(30)
    expect(served.rejections).toStrictEqual([])
  })
})

describe('a connection', () => {
  test('that sends nothing, or never ends its headers, is closed', {
    timeout: 20_000,
  }, async () => {
    await using served = await serve()
    const silent = connect(served.loopback.port, '127.0.0.1')
    const slow = connect(served.loopback.port, '127.0.0.1')
    const drip = setInterval(() => slow.write('a: b\r\n'), 200)
    slow.write('GET / HTTP/1.1\r\n')
    try {
      for (const socket of [silent, slow]) socket.on('error', () => {}).resume()
      await Promise.all([once(silent, 'close'), once(slow, 'close')])
    } finally {
      clearInterval(drip)
    }
  })

  test('that is reset while it is judged, or identified, harms nobody', async () => {
    await using served = await serve({ identify: () => new Promise(() => {}) })
    const { port, token } = served.loopback
    const reset = async (target: string) => {
      const socket = connect(port, '127.0.0.1').on('error', () => {})
      await once(socket, 'connect')
      const lines = [`GET ${target} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...UPGRADE]
      // Sent before it is reset; whether it is read before that too, differs.
      await new Promise((resolve) => socket.write(`${lines.join('\r\n')}\r\n\r\n`, resolve))
      socket.resetAndDestroy()
      await once(socket, 'close')
    }
    const targets = [`/?token=${token}`, '/?token=x']
    await Promise.all(Array.from({ length: 20 }, () => targets.map(reset)).flat())
    expect(await ask(served, ['GET / HTTP/1.1', HOST])).toMatchObject({ status: 426 })
  })

  test('that asks for something else first can not upgrade past the gate', async () => {
    await using served = await serve()
    const plain = ['GET / HTTP/1.1', HOST, '']
    const answer = await ask(served, [...plain, ...upgrade(TARGET, 'Host: evil.test:PORT')])
    expect(answer.status).toBe(426)
    expect(answer.body).not.toContain('101')
    expect(served.loopback.channels.size).toBe(0)
  })

  test('from another address of this machine finds nobody', async () => {
    await using served = await serve()
    const socket = connect({ port: served.loopback.port, host: '::1' })
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toMatch(/ECONNREFUSED|EADDRNOTAVAIL|EAFNOSUPPORT/)
  })
})
