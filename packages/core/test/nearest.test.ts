import { describe, expect, test } from 'vitest'
import { nearestName } from '../src/errors/nearest.js'

describe('the name that was probably meant', () => {
  test.each([
    ['a letter too few', 'sever', ['client', 'server'], 'server'],
    ['a letter too many', 'addd', ['add', 'remove'], 'add'],
    ['another letter', 'ask', ['add', 'tell', 'asq'], 'asq'],
    ['two letters that changed places', 'onec', ['none', 'once'], 'once'],
    ['other capitals', 'SENDmessage', ['sendMassage', 'sendMessage'], 'sendMessage'],
    [
      'a unit that was forgotten',
      'connectTimeout',
      ['timeout', 'connectTimeoutMs'],
      'connectTimeoutMs',
    ],
    ['part of a name', 'origins', ['authenticate', 'allowedOrigins'], 'allowedOrigins'],
    ['a name and more', 'onErrorHandler', ['onConnect', 'onError'], 'onError'],
    ['a short name, turned around', 'pu', ['down', 'up'], 'up'],
    ['another separator', 'users/get', ['users.set', 'users.get'], 'users.get'],
  ])('%s: %s', (_, name, known, meant) => {
    expect(nearestName(name, known)).toBe(meant)
  })

  test.each([
    ['shout', ['add', 'remove']],
    ['get', ['add', 'call']],
    ['id', ['validate']],
    ['x'.repeat(100_000), ['add', 'xx']],
    ['', ['add']],
    ['add', []],
    // If one letter may differ, a name of one or two letters would be near any other.
    ['x', ['y']],
    ['ab', ['cd', 'a', 'ac']],
  ])('is not guessed where none is near: %.10s', (name, known) => {
    expect(nearestName(name, known)).toBeUndefined()
  })

  test('is the first one of those that are as near', () => {
    expect(nearestName('get1', new Set(['get2', 'get3']))).toBe('get2')
  })
})
