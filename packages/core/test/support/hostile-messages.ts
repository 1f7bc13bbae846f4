import type { RawMessage } from './session-peer.js'

/** JSON that nests so many levels. */
export const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

/** JSON that nests deeper than a side accepts. */
const DEEP = nested(300)
/** JSON so long that its depth is checked before it is parsed. */
const MUCH = 'x'.repeat(70_000)

const announced = (at: string[], size: number) =>
  `"rpc":{"bytes":[${JSON.stringify({ at, size })}]}`

/** What comes of a refused message: an error with this code, or no answer. */
interface Hostile extends RawMessage {
  readonly code?: number
}

/** Messages that are refused, each with the answer that is owed for a call with this id. */
export const HOSTILE: Readonly<Record<string, (id: number) => Hostile>> = {
  'a number': () => ({ text: '7' }),
  null: () => ({ text: 'null' }),
  'an empty array': () => ({ text: '[]' }),
  'an array of a call': (id) => ({
    text: `[{"jsonrpc":"2.0","id":${id},"method":"run","params":{"n":${id}}}]`,
  }),
  'an object of nothing': () => ({ text: '{}' }),
  'a call of an unknown method': (id) => ({
    text: `{"jsonrpc":"2.0","id":${id},"method":"nobody"}`,
    code: -32601,
  }),
  'an unknown call of the protocol': (id) => ({
    text: `{"jsonrpc":"2.0","id":${id},"method":"rpc.nothing"}`,
    code: -32601,
  }),
  'an unknown word of the protocol': () => ({ text: '{"jsonrpc":"2.0","method":"rpc.nothing"}' }),
  'a call whose method is a number': (id) => ({
    text: `{"jsonrpc":"2.0","id":${id},"method":5}`,
    code: -32600,
  }),
  'a call whose params are text': (id) => ({
    text: `{"jsonrpc":"2.0","id":${id},"method":"run","params":"n"}`,
    code: -32600,
  }),
  'an answer to no call': () => ({ text: '{"jsonrpc":"2.0","id":9999,"result":1}' }),
  'a ping': () => ({ text: '{"jsonrpc":"2.0","method":"rpc.ping"}', isCounted: false }),
  'a deep call': (id) => ({
    text: `{"jsonrpc":"2.0","id":${id},"method":"run","params":{"n":${id},"deep":${DEEP}}}`,
    code: -32600,
  }),
  'a large deep call': (id) => ({
    text: `{"jsonrpc":"2.0","id":${id},"method":"run","params":{"n":${id},"much":"${MUCH}","deep":${DEEP}}}`,
    code: -32600,
  }),
  'a deep call with bytes': (id) => ({
    text: `{"jsonrpc":"2.0","id":${id},"method":"run","params":{"n":${id},"deep":${DEEP},"blob":null},${announced(['params', 'blob'], 3)}}`,
    bytes: [new Uint8Array(3)],
    code: -32600,
  }),
  'a large deep call with bytes in its depths': (id) => ({
    text: `{"jsonrpc":"2.0","id":${id},"method":"run","params":{"n":${id},"much":"${MUCH}","deep":${'['.repeat(300)}null${']'.repeat(300)}},${announced(['params', 'deep', ...Array.from({ length: 300 }, () => '0')], 2)}}`,
    bytes: [new Uint8Array(2)],
    code: -32600,
  }),
  'a deep notification': () => ({
    text: `{"jsonrpc":"2.0","method":"run","params":{"n":0,"deep":${DEEP}}}`,
  }),
  'a deep answer to no call': () => ({ text: `{"jsonrpc":"2.0","id":9999,"result":${DEEP}}` }),
  'a deep ping': () => ({
    text: `{"jsonrpc":"2.0","method":"rpc.ping","params":{"deep":${DEEP}}}`,
    isCounted: false,
  }),
  'nothing but depth': () => ({ text: DEEP }),
}
