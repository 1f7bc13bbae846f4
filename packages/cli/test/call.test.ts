import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { msgpackCodec } from '@flashrpc/core/msgpack'
import { pythonDialect } from '@flashrpc/core/python'
import { createEndpoint, memoryResultStore, RejectUpgrade } from '@flashrpc/core/server'
import { describe, expect, test, vi } from 'vitest'
import { RawServer } from '../../core/test/support/raw-peer.js'
import { BIN, Cli, run } from './support/cli.js'
import { eventually } from './support/eventually.js'
import { serve } from './support/serve.js'

const sum = '{"a":5,"b":10}'

describe('a call', () => {
  test('prints its result, and nothing else', async () => {
    await using server = await serve()
    expect(await run(['call', server.url, 'add', sum])).toEqual({
      code: 0,
      stdout: '15\n',
      stderr: '',
    })
  })

  test('prints how far it has come on standard error, where it is asked to', async () => {
    await using server = await serve()
    const told = await run(['call', server.url, 'work', '--progress'])
    expect(told).toEqual({ code: 0, stdout: '"done"\n', stderr: '{"percent":100}\n' })
    expect(await run(['call', server.url, 'work'])).toMatchObject({ stderr: '' })
  })

  test('takes its params from standard input', async () => {
    await using server = await serve()
    expect((await run(['call', server.url, 'add', '--stdin'], sum)).stdout).toBe('15\n')
  })

  test('prints a value in one line for programs, indented for people', async () => {
    await using server = await serve({ authenticate: async () => ({ a: [1] }) as never })
    expect((await run(['call', server.url, 'headers'])).stdout).toBe('{"a":[1]}\n')
    const pretty = await run(['call', server.url, 'headers', '--pretty'])
    expect(pretty.stdout).toBe('{\n  "a": [\n    1\n  ]\n}\n')
  })

  test('carries large values both ways', async () => {
    const limits = { message: 16 * 1024 * 1024 }
    await using server = await serve({ limits })
    const params = JSON.stringify({ data: 'x'.repeat(5_000_000) })
    const { code, stderr } = await run(['call', server.url, 'fail', '--stdin', '--json'], params)
    expect(code).toBe(1)
    expect(JSON.parse(stderr).error.data).toHaveLength(5_000_000)
  })

  test('carries bytes both ways', async () => {
    await using server = await serve()
    const { stdout } = await run(['call', server.url, 'bytes', '{"bytes":{"$bytes":"AQI="}}'])
    expect(JSON.parse(stdout)).toEqual({ $bytes: 'AgM=' })
  })

  test('prints what only MessagePack carries as JSON', async () => {
    const value = {
      date: new Date(0),
      big: 2n ** 70n,
      set: new Set([1]),
      named: new Map([['a', 1]]),
      map: new Map([[1, 'a']]),
      bytes: new Uint8Array([1]),
    }
    await using server = await serve({
      codec: msgpackCodec,
      methods: { color: () => value } as never,
    })
    const { stdout } = await run(['call', server.url, 'color', '{}', '--codec', 'msgpack'])
    expect(JSON.parse(stdout)).toEqual({
      date: '1970-01-01T00:00:00.000Z',
      big: '1180591620717411303424',
      set: [1],
      named: { a: 1 },
      map: [[1, 'a']],
      bytes: { $bytes: 'AQ==' },
    })
  })

  test('connects with the headers it is given', async () => {
    await using server = await serve()
    const { stdout } = await run(['call', server.url, 'headers', '-H', 'x-user: Ada', '-H', 'a:b'])
    expect(stdout).toBe('"Ada"\n')
  })

  test('with a key runs once', async () => {
    await using server = await serve({
      idempotency: { store: memoryResultStore(), scope: () => 'all' },
    })
    const charge = () => run(['call', server.url, 'charge', '--key', 'order-17'])
    expect((await charge()).stdout).toBe('1\n')
    expect((await charge()).stdout).toBe('1\n')
  })

  test('calls a server that knows JSON-RPC 2.0 and nothing more', async () => {
    await using server = await RawServer.listen()
    await using cli = new Cli(['call', server.url, 'add', sum])
    await using peer = await server.acceptPlain()
    const { id, ...request } = await peer.nextJson()
    expect(request).toEqual({ jsonrpc: '2.0', method: 'add', params: { a: 5, b: 10 } })
    peer.send({ jsonrpc: '2.0', id, result: 15 })
    expect(await cli.ended).toBe(0)
    expect(cli.stdout).toBe('15\n')
  })

  test('calls a plain server that ignores what it does not know, where it is told so', async () => {
    await using server = await RawServer.listen()
    await using cli = new Cli(['call', server.url, 'add', sum, '--plain'])
    await using peer = await server.accept()
    const { id, ...request } = await peer.nextJson()
    expect(request).toEqual({ jsonrpc: '2.0', method: 'add', params: { a: 5, b: 10 } })
    peer.send({ jsonrpc: '2.0', id, result: 15 })
    expect(await cli.ended).toBe(0)
    expect(cli.stdout).toBe('15\n')
  })

  test('speaks the dialect of Python', async () => {
    await using endpoint = createEndpoint<{ add(params: { a: number; b: number }): number }>({
      dialect: pythonDialect(),
      methods: { add: ({ a, b }) => a + b },
    })
    const { url } = await endpoint.listen()
    expect((await run(['call', url, 'add', sum, '--dialect', 'python'])).stdout).toBe('15\n')
  })

  test('sends a notification, and waits for no answer', async () => {
    await using server = await serve()
    const ended = await run(['call', server.url, 'log', '{"text":"hi"}', '--notify'])
    expect(ended).toEqual({ code: 0, stdout: '', stderr: '' })
    await eventually(() => expect(server.logged).toEqual([{ text: 'hi' }]))
  })
})

describe('a stream', () => {
  const three = ['{"to":3,"everyMs":0}']

  test('is printed a line an item', async () => {
    await using server = await serve()
    const { code, stdout } = await run(['call', server.url, 'count', ...three, '--stream'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '1\n2\n3\n' })
  })

  test('is found out to be one, where the server tells', async () => {
    await using server = await serve()
    expect((await run(['call', server.url, 'count', ...three])).stdout).toBe('1\n2\n3\n')

    await using silent = await serve({ discover: false })
    const refused = await run(['call', silent.url, 'count', ...three])
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('-32600'),
    })
  })

  test('ends at its source when nobody reads it any more', async () => {
    await using server = await serve()
    await using cli = new Cli(['call', server.url, 'count', '{"to":1e9,"everyMs":1}', '--stream'])
    await cli.until(({ stdout }) => stdout.includes('\n'))
    cli.child.stdout.destroy()
    expect(await cli.ended).toBe(0)
    expect(cli.stderr).toBe('')
    await eventually(() => expect(server.events).toEqual(['count ended']))
  })

  test('is taken no faster than it is read', async () => {
    await using server = await serve()
    await using cli = new Cli(['call', server.url, 'count', '{"to":1e9,"everyMs":0}', '--stream'])
    await cli.until(({ stdout }) => stdout.includes('\n'))
    cli.child.stdout.pause()
    let before = 0
    await vi.waitFor(
      () => {
        const { counted } = server
        const hasStopped = counted === before
        before = counted
        expect(hasStopped).toBe(true)
      },
      { timeout: 30_000, interval: 500 },
    )
    cli.child.stdout.resume()
    await eventually(() => expect(server.counted).toBeGreaterThan(before))
  })

  test('goes along from the lines of standard input', async () => {
    await using server = await serve()
    const { code, stdout } = await run(['call', server.url, 'sum', '--input'], '1\n2\n\n39\n')
    expect({ code, stdout }).toEqual({ code: 0, stdout: '42\n' })
    const wrong = await run(['call', server.url, 'sum', '--input'], '1\nnothing\n')
    expect(wrong).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('JSON') })
  })

  test('goes both ways, found out to be a stream, or said to be one', async () => {
    await using server = await serve()
    for (const flags of [['--input'], ['--input', '--stream']]) {
      const ended = await run(['call', server.url, 'doubled', ...flags], '1\n2\n3\n')
      expect(ended).toEqual({ code: 0, stdout: '2\n4\n6\n', stderr: '' })
    }
    // Where the server does not tell, the command line has to.
    await using silent = await serve({ discover: false })
    const said = await run(['call', silent.url, 'doubled', '--input', '--stream'], '1\n')
    expect(said).toEqual({ code: 0, stdout: '2\n', stderr: '' })
    const unsaid = await run(['call', silent.url, 'doubled', '--input'], '1\n')
    expect(unsaid).toMatchObject({ code: 1, stdout: '' })
    expect(unsaid.stderr).toContain('--stream calls it as a stream')
    expect((await run(['call', silent.url, 'sum', '--input'], '1\n')).stdout).toBe('1\n')
  })

  test('that is silent for longer than the command line allows exits with 4, and ends', async () => {
    await using server = await serve()
    for (const flags of [['--stream'], []]) {
      server.events.length = 0
      const { code, stdout, stderr } = await run([
        'call',
        server.url,
        'silent',
        ...flags,
        ...['-t', '1500', '--json'],
      ])
      expect({ code, stdout }).toEqual({ code: 4, stdout: '1\n' })
      expect(JSON.parse(stderr).error).toMatchObject({ name: 'RpcTimeoutError', method: 'silent' })
      await eventually(() => expect(server.events).toEqual(['silent ended']))
    }
    // One that goes on is not ended, however long it takes.
    const lively = [
      'call',
      server.url,
      'count',
      '{"to":10,"everyMs":300}',
      '--stream',
      '-t',
      '1500',
    ]
    expect(await run(lively)).toMatchObject({ code: 0 })
  })

  test('goes along no longer than the call is open', async () => {
    await using server = await serve()
    await using unread = new Cli(['call', server.url, 'first', '--input'])
    unread.child.stdin.write('7\n')
    expect(await unread.ended).toBe(0)
    expect(unread.stdout).toBe('7\n')

    await using stopped = new Cli(['call', server.url, 'sum', '--input'])
    stopped.child.stdin.write('7\n')
    await eventually(() => expect(server.events).toContain('sums'))
    stopped.child.kill('SIGINT')
    expect(await stopped.ended).toBe(130)
  })
})

describe('a call that fails', () => {
  test('exits with 1, and says on stderr what it was answered', async () => {
    await using server = await serve()
    const invalid = await run(['call', server.url, 'add', '{"a":5}'])
    expect(invalid).toMatchObject({ code: 1, stdout: '' })
    expect(invalid.stderr).toMatch(/^flashrpc: Invalid params for "add": b: .* \(-32602\)\n$/)
    const thrown = await run(['call', server.url, 'fail', '{"data":{"a":1}}'])
    expect(thrown.stderr).toBe('flashrpc: On purpose (4001)\n{\n  "a": 1\n}\n')
    expect((await run(['call', server.url, 'nobody'])).stderr).toContain('(-32601)')
  })

  test('says it as JSON with --json', async () => {
    await using server = await serve()
    const { code, stdout, stderr } = await run(['call', server.url, 'fail', '{"data":1}', '--json'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(JSON.parse(stderr)).toEqual({
      error: { name: 'RpcError', code: 4001, message: 'On purpose', data: 1, method: 'fail' },
    })
  })

  test('exits with 4 where no answer comes in time, and cancels', async () => {
    await using server = await serve()
    const { code, stderr } = await run(['call', server.url, 'hang', '-t', '3000', '--json'])
    expect(code).toBe(4)
    expect(JSON.parse(stderr).error).toMatchObject({
      name: 'RpcTimeoutError',
      outcome: 'maybe-executed',
    })
    await eventually(() => expect(server.events).toEqual(['hangs', 'aborted']))
  })

  test('exits with 3 where nobody listens, is not let in, or does not answer', async () => {
    const silent = createServer((socket) => socket.on('error', () => {}).resume())
    await once(silent.listen(0, '127.0.0.1'), 'listening')
    const { port } = silent.address() as AddressInfo
    const slow = await run(['call', `ws://127.0.0.1:${port}`, 'add', '-t', '500'])
    expect(slow).toMatchObject({ code: 3, stdout: '' })
    silent.close()
    await once(silent, 'close')
    const refused = await run(['call', `ws://127.0.0.1:${port}`, 'add'])
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('ECONNREFUSED') })

    await using server = await serve({
      authenticate: async () => {
        throw new RejectUpgrade(401, 'Who are you?')
      },
    })
    const unknown = await run(['call', server.url, 'add', sum])
    expect(unknown).toMatchObject({ code: 3, stderr: expect.stringContaining('HTTP 401') })
    const nowhere = await run(['call', `${server.url}/other`, 'add', sum])
    expect(nowhere).toMatchObject({ code: 3, stderr: expect.stringContaining('HTTP 404') })
  })

  test('exits with 3 where the connection is lost, and says that it may have run', async () => {
    await using server = await serve()
    await using cli = new Cli(['call', server.url, 'hang'])
    await eventually(() => expect(server.events).toEqual(['hangs']))
    for (const channel of server.endpoint.channels) await channel.close()
    expect(await cli.ended).toBe(3)
    expect(cli.stderr).toContain('maybe-executed')
  })

  test('exits with 1 where what it prints can’t be written', async () => {
    await using server = await serve()
    const { url } = server
    const readOnly = await open(fileURLToPath(import.meta.url), 'r')
    const child = spawn(process.execPath, [BIN, 'call', url, 'add', sum], {
      stdio: ['ignore', readOnly.fd, 'pipe'],
    })
    const stderr = child.stderr ?? expect.fail('no stderr')
    const [[code], said] = await Promise.all([once(child, 'close'), text(stderr)])
    await readOnly.close()
    expect(code).toBe(1)
    expect(said).toMatch(/^flashrpc: what was printed could not be written: EBADF.*\n$/)
  })

  test('exits with 130 at Ctrl-C, with 143 when it is killed, and cancels', async () => {
    await using server = await serve()
    for (const [signal, exitCode] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      server.events.length = 0
      await using cli = new Cli(['call', server.url, 'hang'])
      await eventually(() => expect(server.events).toEqual(['hangs']))
      cli.child.kill(signal)
      expect(await cli.ended).toBe(exitCode)
      expect(cli.stdout + cli.stderr).toBe('')
      await eventually(() => expect(server.events).toEqual(['hangs', 'aborted']))
    }
  })

  test('exits with 130 at Ctrl-C while it reads its params, or connects', async () => {
    await using reading = new Cli(['call', 'ws://127.0.0.1:1', 'add', '--stdin'])
    // More than a pipe holds: it goes when somebody reads.
    const isRead = once(reading.child.stdin, 'drain')
    reading.child.stdin.write(' '.repeat(1_000_000))
    const silent = createServer((socket) => socket.on('error', () => {}).resume())
    await once(silent.listen(0, '127.0.0.1'), 'listening')
    const { port } = silent.address() as AddressInfo
    await using connecting = new Cli(['call', `ws://127.0.0.1:${port}`, 'add'])
    await once(silent, 'connection')
    connecting.child.kill('SIGINT')
    expect(await connecting.ended).toBe(130)
    await isRead
    reading.child.kill('SIGINT')
    expect(await reading.ended).toBe(130)
    silent.close()
  })

  test.each([
    [['add', '{"a":5'], /PARAMS must be JSON/],
    [['add', '5'], /PARAMS must be an object/],
    [['bytes', '{"bytes":{"$bytes":"!!"}}'], /"\$bytes" must be base64. It is "!!"/],
    [['bytes', '{"bytes":{"$bytes":"AAAA!"}}'], /must be base64/],
    [['bytes', '{"bytes":{"$bytes":"A"}}'], /must be base64/],
    [['bytes', '{"bytes":{"$bytes":"AA=A"}}'], /must be base64/],
    [['add', '{}', '--stdin'], /and not both/],
    [['add', '--stdin', '--input'], /either --stdin or --input/],
    [['log', '--notify', '--key', 'a'], /--key does not go with --notify/],
    [['log', '--notify', '--stream'], /--stream does not go with --notify/],
    [['add', '--codec', 'xml'], /Allowed choices are json, msgpack/],
    [['add', '--timeout', 'soon'], /whole number/],
    [['add', '-H', 'nothing'], /NAME:VALUE/],
    [['add', '{}', 'more'], /too many arguments/],
    [['add', '--what'], /unknown option '--what'/],
    [[], /missing required argument 'method'/],
  ])('exits with 2 where its command line is wrong: %j', async (args, why) => {
    const { code, stdout, stderr } = await run(['call', 'ws://127.0.0.1:1', ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(why)
  })

  test('exits with 2 where the url is none', async () => {
    expect(await run(['call', 'http://127.0.0.1:1', 'add'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('ws:'),
    })
  })
})
