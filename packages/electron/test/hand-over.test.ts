import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  ACCEPTED,
  claimsHandOver,
  HAND_OVER_CHANNEL,
  handOverTo,
  isHandOverName,
  readHandOver,
} from '../src/hand-over.js'

test('a hand-over is read as it was written', () => {
  expect(readHandOver(handOverTo('db'))).toEqual({ flashrpc: 'connect', v: 1, name: 'db' })
  expect(readHandOver({ ...handOverTo('db'), more: 'dropped' })).toEqual(handOverTo('db'))
})

describe('what is none is refused, saying what is wrong', () => {
  test.each<[string, unknown, RegExp]>([
    ['null, which Electron makes of a transferred ArrayBuffer', null, /malformed/],
    ['undefined', undefined, /malformed/],
    ['text', 'connect', /malformed/],
    ['an answer', ACCEPTED, /malformed/],
    ['an inherited member', Object.create(handOverTo('db')), /malformed/],
    ['no version', { flashrpc: 'connect', name: 'db' }, /version is missing, and main's is 1/],
    ['a newer version', { flashrpc: 'connect', v: 2, name: 'db' }, /version is 2, and main's is 1/],
    ['no name', { flashrpc: 'connect', v: 1 }, /names no host/],
    ['an empty name', { flashrpc: 'connect', v: 1, name: '' }, /1 to 64 characters/],
    ['too long a name', { flashrpc: 'connect', v: 1, name: 'x'.repeat(65) }, /1 to 64 characters/],
    ['a name that is no text', { flashrpc: 'connect', v: 1, name: {} }, /names no host/],
  ])('%s', (_, message, wrong) => {
    expect(readHandOver(message)).toEqual({ wrong: expect.stringMatching(wrong) })
  })
})

test('other messages of a window are told from one that means to be a hand-over', () => {
  expect(claimsHandOver({ flashrpc: 'connect' })).toBe(true)
  expect(claimsHandOver({ flashrpc: 'close' })).toBe(false)
  expect(claimsHandOver({ type: 'webpackOk' })).toBe(false)
  expect(isHandOverName('x'.repeat(64))).toBe(true)
})

test('the preload, which imports nothing, says the same', () => {
  const built = readFileSync(new URL('../dist/preload.cjs', import.meta.url), 'utf8')
  // However it is laid out.
  const preload = built.replace(/\s+/g, ' ').replaceAll('"', "'")
  const required = [...preload.matchAll(/require\((.*?)\)/g)].map(([, name]) => name)
  expect(required).toEqual(["'electron'"])
  expect(preload).not.toMatch(/\bimport\b.*from/)
  expect(preload).toContain(`postMessage('${HAND_OVER_CHANNEL}', { flashrpc: 'connect', v, name }`)
  expect(preload).toContain(`data.flashrpc !== '${handOverTo('x').flashrpc}'`)
})
