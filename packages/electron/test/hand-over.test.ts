import { isHandOver } from '@flashrpc/electron/main'
import { expect, test } from 'vitest'

test.each([
  [{ flashrpc: 'connect', v: 1 }, true],
  [{ flashrpc: 'connect', v: 2 }, false],
  [{ flashrpc: 'close', v: 1 }, false],
  [Object.create({ flashrpc: 'connect', v: 1 }), false],
  ['connect', false],
  [null, false],
])('tells a hand-over from other messages: %o', (message, expected) => {
  expect(isHandOver(message)).toBe(expected)
})
