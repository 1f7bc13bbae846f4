import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonOf } from '../src/wire/json-message.js'

const json = fc.jsonValue()
const id = fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constant(null))
const object = fc.dictionary(fc.string(), json)
const rpc = fc.record({ key: fc.string() }, { requiredKeys: [] })
const jsonrpc = fc.constant('2.0')

test.each([
  [
    'a request',
    fc.record(
      { jsonrpc, id, method: fc.string(), rpc, params: object },
      { requiredKeys: ['jsonrpc', 'id', 'method'] },
    ),
  ],
  [
    'a notification',
    fc.record(
      { jsonrpc, method: fc.string(), params: fc.oneof(object, fc.array(json)) },
      { requiredKeys: ['jsonrpc', 'method'] },
    ),
  ],
  ['a result', fc.record({ jsonrpc, id, result: json })],
  ['an error', fc.record({ jsonrpc, id, error: object, rpc }, { requiredKeys: ['jsonrpc', 'id'] })],
  ['several', fc.array(fc.record({ jsonrpc, id, result: json }))],
])('is what JSON.stringify makes of %s', (_, messages) => {
  fc.assert(
    fc.property(messages as fc.Arbitrary<object>, (message) => {
      expect(jsonOf(message)).toBe(JSON.stringify(message))
    }),
  )
})
