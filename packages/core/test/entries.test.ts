import * as core from '@flashrpc/core'
import * as internal from '@flashrpc/core/internal'
import { expect, test } from 'vitest'

test('what only the other packages use is not in the public entry', () => {
  expect(Object.keys(core).filter((name) => name in internal)).toEqual([])
  expect(Object.keys(internal)).toContain('assertOptions')
})
