import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { beforeAll, expect, test } from 'vitest'
import { forkProgram } from './support/fork-program.js'

/** What a text must have, so that its reader need not look anywhere else. */
interface Expected {
  /** Which method, option or name it is about. */
  readonly names: string
  readonly cause: string
  /** Undefined if only its author can know what to change. */
  readonly remedy?: string
}

const printed = new Map<string, string>()

beforeAll(async () => {
  const program = forkProgram(new URL('support/mistakes-process.mjs', import.meta.url), {
    stderr: 'pipe',
  })
  const [output, [code]] = await Promise.all([
    text(program.stderr as NonNullable<typeof program.stderr>),
    once(program, 'exit'),
  ])
  expect(code, output).toBe(0)
  for (const part of output.split(/^== /m).slice(1)) {
    const end = part.indexOf('\n')
    printed.set(part.slice(0, end), part.slice(end + 1))
  }
}, 60_000)

const MISTAKES: Readonly<Record<string, Expected>> = {
  'the server is not running': {
    names: '"add" timed out',
    cause: 'ECONNREFUSED 127.0.0.1:',
    remedy: 'Is the server running?',
  },
  'the port is of another server': {
    names: '"add" timed out',
    cause: 'the server answered HTTP 200 OK',
    remedy: 'check the host, the port and the path of the url',
  },
  'the path is wrong': {
    names: '"add" was not sent',
    cause: '/rpc: the server answered HTTP 404 Not Found',
    remedy: 'try /ws',
  },
  'allowedOrigins is forgotten': {
    names: 'flashrpc: refused a connection from 127.0.0.1',
    cause: 'The page is from "http://localhost:5173"',
    remedy:
      "add this line to the options of createEndpoint: allowedOrigins: ['http://localhost:5173']",
  },
  'allowedOrigins has a path': {
    names: 'allowedOrigins has "http://localhost:5173/"',
    cause: 'no request can match',
    remedy: 'with nothing after it',
  },
  'the url is forgotten': {
    names: 'url',
    cause: 'is missing',
    remedy: 'give the client one, such as "ws://localhost:8000/ws"',
  },
  'the url has another scheme': {
    names: 'url must begin with ws: or wss:',
    cause: 'not http:',
    remedy: 'such as "ws://localhost:8000/ws"',
  },
  'the url is relative': {
    names: 'url',
    cause: '"/ws"',
    remedy: 'Write an absolute address such as "ws://localhost:8000/ws"',
  },
  'a call by a misspelt name': {
    names: 'Unknown method "ad"',
    cause: 'the other side of the contract has add, log, count',
    remedy: 'Did you mean "add"?',
  },
  'wrong params': {
    names: 'Invalid params for "add": b',
    cause: 'received string',
    remedy: 'expected number',
  },
  'params are not an object': {
    names: 'The params of "add"',
    cause: 'params are one object of named params',
    remedy: 'Put them in braces: { name: value }',
  },
  'params are two arguments': {
    names: 'A call of "add"',
    cause: 'takes an object of options, not a number',
    remedy: 'put all params in one object, { name: value }',
  },
  'a handler is missing': {
    names: '"add"',
    cause: 'has no handler',
    remedy: 'Add it to methods, expose it',
  },
  'a handler has a misspelt name': {
    names: '"ad" can\'t be exposed',
    cause: "the contract's server side has add, log, count",
    remedy: 'Did you mean "add"?',
  },
  'a handler is not a function': {
    names: 'The handler of "add"',
    cause: 'It is a number',
    remedy: 'must be a function',
  },
  'a handler throws': {
    names: 'flashrpc: "add" failed',
    cause: "TypeError: Cannot read properties of undefined (reading 'rows')",
    remedy: 'mistakes-process.mjs:',
  },
  'a handler returns another type than it should': {
    names: 'The result of "add" breaks its schema',
    cause: 'expected number, received string',
    remedy: 'The contract of the other side may be of another version',
  },
  'a handler returns nothing': {
    names: 'The result of "add" breaks its schema',
    cause: 'expected number, received null',
    remedy: 'A handler that returns nothing sends null, as NaN does',
  },
  'a handler is for a method of the other side': {
    names: '"confirm" can\'t be exposed',
    cause: "the contract's server side has add, log, count",
    remedy: 'The other side has it: call it (channel.other.confirm)',
  },
  'a handler never answers': {
    names: '"add" timed out after 400 ms',
    cause: 'it was sent and may have run',
  },
  'a date over JSON': {
    names: 'The result of "now" breaks its schema',
    cause: 'JSON',
    remedy: 'msgpackCodec',
  },
  'onConnect throws': {
    names: 'flashrpc: onConnect failed',
    cause: 'Error: no such table',
    remedy: 'mistakes-process.mjs:',
  },
  'a misspelt option of a client': {
    names: 'createClient',
    cause: 'has no option "autoconnect"',
    remedy: 'Did you mean "autoConnect"?',
  },
  'a misspelt option of an endpoint': {
    names: 'createEndpoint',
    cause: 'has no option "allowedOrigin"',
    remedy: 'Did you mean "allowedOrigins"?',
  },
  'a misspelt option of a call': {
    names: '"add"',
    cause: 'has no option "timeOut"',
    remedy: 'Did you mean "timeout"?',
  },
  'a misspelt option of listen': {
    names: 'listen',
    cause: 'has no option "Port"',
    remedy: 'Did you mean "port"?',
  },
  'a misspelt side of a contract': {
    names: 'defineContract',
    cause: 'has no option "sever"',
    remedy: 'Did you mean "server"?',
  },
  'a misspelt part of a method': {
    names: 'method',
    cause: 'has no option "param"',
    remedy: 'Did you mean "params"?',
  },
  'params that are not a schema': {
    names: 'params of a method',
    cause: 'is not a schema: it is 5',
    remedy: 'Use a schema of zod',
  },
  'a side with a plain function': {
    names: '"add" in the contract\'s server side',
    cause: 'is not a definition',
    remedy: 'Write method({ … })',
  },
  'a call before connect': {
    names: '"add" timed out',
    cause: 'autoConnect is false',
    remedy: 'call connect()',
  },
  'a call after close': {
    names: '"add" was not sent',
    cause: 'the client was closed',
    remedy: 'Create another to call again',
  },
  'the port is in use': {
    names: "Can't listen on 127.0.0.1:",
    cause: 'the port is in use',
    remedy: 'Choose another, or 0 for any free one',
  },
  'two endpoints on one path': {
    names: 'An endpoint serves /ws',
    cause: 'on this server already',
    remedy: 'Choose another path',
  },
  'a path without a slash': {
    names: 'path',
    cause: 'It is "ws"',
    remedy: 'must begin with "/"',
  },
  'the token is missing': {
    names: '"add" was not sent',
    cause: 'HTTP 401 Unauthorized: A token is missing',
    remedy: 'check the credentials in the url or the headers',
  },
  'a notification with wrong params': {
    names: 'flashrpc: "log" was dropped',
    cause: 'Invalid params for "log": text',
    remedy: 'expected string, received undefined',
  },
  'the server calls a page without a handler': {
    names: '"confirm"',
    cause: 'has no handler',
    remedy: 'mount a component with useRpcMethod',
  },
  'a message is too large': {
    names: '"save" was not sent',
    cause: 'larger than the 10000 bytes the other side accepts',
    remedy: 'raise the other side\'s limit "message"',
  },
  'a stream is read twice': {
    names: 'The stream of "count"',
    cause: 'has been read',
    remedy: 'Call "count" again for another stream',
  },
  'a stream is awaited': {
    names: '"count"',
    cause: 'is a stream, and was called as a method',
    remedy: 'call it by stream()',
  },
  'the contracts differ': {
    names: '"subtract"',
    cause: 'Method not found',
    remedy: 'the other side may be older',
  },
  'another codec on either side': {
    names: '"add" was not sent',
    cause: 'Codec mismatch: client "msgpack", server "json"',
    remedy: 'Give both the same codec',
  },
  'the other codec on either side': {
    names: '"add" was not sent',
    cause: 'Codec mismatch: client "json", server "msgpack"',
    remedy: 'Give both the same codec',
  },
  'a stream of a plain peer': {
    names: '"count" was not sent',
    cause: 'plain JSON-RPC 2.0 peers have no streams',
    remedy: 'Use flashrpc on the other side',
  },
}

test.each(Object.entries(MISTAKES))('%s', (mistake, { names, cause, remedy }) => {
  let text = printed.get(mistake)
  for (const phrase of [names, cause, remedy ?? '']) {
    expect(text).toContain(phrase)
    // Each is a phrase of its own.
    text = text?.replace(phrase, '…')
  }
})

test('there is a case for each mistake of the program', () => {
  expect([...printed.keys()]).toEqual(Object.keys(MISTAKES))
})
