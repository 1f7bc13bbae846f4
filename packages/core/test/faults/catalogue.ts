/** What can go wrong, and the tests that do it: a file, and what their titles begin with. */
export interface Row {
  readonly fault: string
  readonly tests: readonly (readonly [file: string, title: string])[]
}

const core = (file: string, ...titles: string[]) =>
  titles.map((title) => [`packages/core/test/${file}`, title] as const)
const react = (file: string, ...titles: string[]) =>
  titles.map((title) => [`packages/react/test/${file}`, title] as const)
const electron = (file: string, ...titles: string[]) =>
  titles.map((title) => [`packages/electron/test/${file}`, title] as const)

const AT_ANY_BYTE = core(
  'faults/connection.test.ts',
  'a cut at any byte, of calls, answers, hellos',
  'a cut at each byte of a call',
)

/** Each row is a fault that happens to real connections, and what must come of it. */
export const CATALOGUE: Readonly<Record<number, Row>> = {
  1: { fault: 'a cut in the middle of a frame, at any byte', tests: AT_ANY_BYTE },
  2: {
    fault: 'a cut during the answer to a hello, an acknowledgement or a replay',
    tests: [
      ...AT_ANY_BYTE,
      ...core('session-wire.test.ts', 'writes again what the server has not got'),
    ],
  },
  3: {
    fault: 'a black hole, without a goodbye',
    tests: core('faults/connection.test.ts', 'a black hole is found out'),
  },
  4: {
    fault: 'an old connection delivers after another has taken over',
    tests: [
      ...core('sessions.test.ts', 'goes on though the old connection hangs'),
      ...core('session-wire.test.ts', 'hears an old connection no more'),
    ],
  },
  5: {
    fault: 'the server is killed, and another started',
    tests: core('faults/connection.test.ts', 'a server that is killed takes along'),
  },
  6: {
    fault: 'the server leaves, and finishes what runs',
    tests: core('drain.test.ts', 'loses no call and repeats none'),
  },
  7: {
    fault: 'a connection whose upgrade is never answered',
    tests: core('client.test.ts', 'an upgrade that is never answered is given up'),
  },
  8: {
    fault: 'half an upgrade',
    tests: core(
      'faults/hostile.test.ts',
      'is dropped within ten seconds',
      'has nine seconds, where',
    ),
  },
  9: {
    fault: 'a reset while a client is authenticated',
    tests: core('auth.test.ts', 'a client that resets its connection harms nobody'),
  },
  10: {
    fault: 'a close code, or an HTTP status, that forbids another attempt',
    tests: core('retry-policy.test.ts', 'with %i, ', 'with %s is followed by'),
  },
  11: {
    fault: 'credentials that are not known any more',
    tests: core('retry-policy.test.ts', 'asks once more for credentials'),
  },
  12: {
    fault: 'a server that asks to be left alone',
    tests: core(
      'retry-policy.test.ts',
      '%s with a wish is met',
      'tells a page so',
      'is left alone for as long as it says',
    ),
  },
  13: {
    fault: 'a name without an address; a port nobody listens on',
    tests: core('faults/hostile.test.ts', '%s: calls wait for their own time'),
  },
  14: {
    fault: 'a proxy that refuses',
    tests: core('proxy.test.ts', 'with 403 stops it', 'asks for a user and a password'),
  },
  15: {
    fault: 'an address, or headers, that fail to be told',
    tests: core('client.test.ts', 'counts a function that throws, rejects or hangs'),
  },
  16: {
    fault: 'a process that is stopped, and goes on',
    tests: core('heartbeat.test.ts', 'a server process that is stopped is found dead'),
  },
  17: {
    fault: 'the clock is set',
    tests: core('faults/hostile.test.ts', 'set %s makes no call late'),
  },
  18: {
    fault: 'close and reconnect, a thousand times',
    tests: core('retry-policy.test.ts', 'does what it was told last'),
  },
  19: {
    fault: 'a second answer',
    tests: core('json-rpc.test.ts', 'takes the first of two answers'),
  },
  20: {
    fault: 'an answer to an id that is none of ours',
    tests: core(
      'json-rpc.test.ts',
      'does not take the id "1" for 1',
      'ignores answers to calls it never',
    ),
  },
  21: {
    fault: 'answers that a peer makes up',
    tests: core('json-rpc.test.ts', 'a call that was not sent yet cannot be answered'),
  },
  22: {
    fault: 'answers in another order',
    tests: core('json-rpc.test.ts', 'matches answers by their ids, whatever their order'),
  },
  23: {
    fault: 'an answer with a result and an error, or neither',
    tests: core('json-rpc.test.ts', 'rejects the call alone where an answer has %s'),
  },
  24: {
    fault: 'an id that is in use',
    tests: core('json-rpc.test.ts', 'refuses a second call with the id of a running one'),
  },
  25: {
    fault: 'a message over the limit',
    tests: core(
      'errors.test.ts',
      'end the connection of a peer that sends them all the same, with 1009',
    ),
  },
  26: {
    fault: 'a compression bomb',
    tests: core('faults/hostile.test.ts', 'that are compressed are refused'),
  },
  27: {
    fault: 'JSON that nests three million deep',
    tests: core('limits.test.ts', 'of millions is refused as that of hundreds'),
  },
  28: {
    fault: 'text that is no UTF-8; garbage',
    tests: core('faults/hostile.test.ts', 'of %s end their connection, and no other'),
  },
  29: {
    fault: 'a binary frame that nobody expects',
    tests: core('binary.test.ts', 'more bytes than were announced end it too'),
  },
  30: {
    fault: 'batches that are empty, wrong or of notifications only',
    tests: core(
      'json-rpc.test.ts',
      'an empty array',
      'an invalid batch',
      'a batch of notifications only',
    ),
  },
  31: {
    fault: 'a batch that is too long',
    tests: core('json-rpc.test.ts', 'refuses a batch of 101 as a whole'),
  },
  32: {
    fault: 'tiny fragments; pings whose answers nobody reads',
    tests: core(
      'limits.test.ts',
      'in tiny fragments end their connection',
      'of pings whose answers nobody',
    ),
  },
  33: {
    fault: 'a flood of notifications',
    tests: core('limits.test.ts', 'pause a flood of notifications'),
  },
  34: {
    fault: 'a slow reader',
    tests: core('limits.test.ts', 'is cut off, and the others hear all'),
  },
  35: {
    fault: 'a handler that never ends',
    tests: core('faults/hostile.test.ts', 'that never ends is told when its caller gives up'),
  },
  36: {
    fault: 'a handler that throws null, text, or an error that throws',
    tests: core('errors.test.ts', '%s tells its caller that it failed'),
  },
  37: {
    fault: 'a handler that ends once nobody waits',
    tests: core('faults/hostile.test.ts', 'that %s once nobody waits any more'),
  },
  38: {
    fault: 'a result that can not be carried',
    tests: core('errors.test.ts', '%s in a result is an error'),
  },
  39: {
    fault: 'methods named as members of every object are',
    tests: [
      ...core('faults/hostile.test.ts', 'named %s is no method'),
      ...core('validation.test.ts', 'cannot have a method'),
    ],
  },
  40: {
    fault: 'params with a __proto__ of their own',
    tests: core('json-rpc.test.ts', 'hands on params with a __proto__ of their own'),
  },
  41: {
    fault: '`other` that is awaited, printed, kept',
    tests: core('remote.test.ts', 'can be awaited', 'is no function'),
  },
  42: {
    fault: 'numbers that can not be',
    tests: core(
      'session-wire.test.ts',
      'refuses a hello whose recv is',
      'ends the session at an ack of',
    ),
  },
  43: {
    fault: 'a stolen token, another identity, a hello that is replayed',
    tests: core(
      'session-wire.test.ts',
      'tells strangers nothing',
      'refuses a hello that a later one has',
    ),
  },
  44: {
    fault: 'credentials that expire in the middle of a session',
    tests: core('sessions.test.ts', 'comes with credentials that have expired'),
  },
  45: {
    fault: 'pages of other origins; a name that was rebound',
    tests: [
      ...electron(
        'loopback-pages.test.ts',
        'of another origin is refused',
        'is refused by a loopback',
      ),
      ...core('auth.test.ts', 'by another name of the server than its allowedHosts'),
    ],
  },
  46: {
    fault: 'a loopback without its token',
    tests: electron(
      'loopback-pages.test.ts',
      'of an allowed origin is refused without the right token',
    ),
  },
  47: {
    fault: 'a call to what nobody has mounted',
    tests: react(
      'use-rpc-method.browser.test.tsx',
      'a call to a method that nobody has mounted says so',
    ),
  },
  48: {
    fault: 'StrictMode, and mounting again and again',
    tests: react(
      'provider.browser.test.tsx',
      'StrictMode opens one socket',
      'mounting and unmounting a',
    ),
  },
  49: {
    fault: 'a page of Electron that reloads, or crashes',
    tests: electron('lifetimes.test.ts', 'ends them on both sides', 'by a crash of its process'),
  },
  50: {
    fault: 'clients that lose their server together',
    tests: core(
      'retry-policy.test.ts',
      'because it was restarted come back over that time',
      'because it was killed find nobody at once',
      'though it is there, which takes so many in a second',
    ),
  },
  51: {
    fault: 'sessions that end while their clients come back',
    tests: core('faults/connection.test.ts', 'sessions that expire, overflow and are evicted'),
  },
  52: {
    fault: 'bits that are flipped on the way',
    tests: core('faults/connection.test.ts', 'bytes that are flipped on the way'),
  },
}
