import { expect, test } from 'vitest'
import { type Place, placeBeside, placeSideBySide, SMALLEST } from '../src/desktop/placement.ts'

const HD: Place = { x: 0, y: 25, width: 1_920, height: 1_015 }
const LAPTOP: Place = { x: 0, y: 0, width: 1_280, height: 720 }
const SECOND: Place = { x: -2_560, y: -300, width: 2_560, height: 1_400 }
const TINY: Place = { x: 10, y: 20, width: 600, height: 400 }

test.each([
  ['a large screen', HD],
  ['a laptop', LAPTOP],
  ['a second screen to the left', SECOND],
])('two windows stand side by side within %s', (_, area) => {
  const [left, right] = placeSideBySide(area)
  expect(right.x).toBe(left.x + left.width)
  expect(left.x - area.x).toBeGreaterThanOrEqual(0)
  expect(area.x + area.width - (right.x + right.width)).toBeGreaterThanOrEqual(0)
  expect(left.y).toBe(right.y)
  expect(left.y).toBeGreaterThanOrEqual(area.y)
  expect(left.y + left.height).toBeLessThanOrEqual(area.y + area.height)
  // In the middle, up to a pixel.
  const margins = [left.x - area.x, area.x + area.width - right.x - right.width] as const
  expect(Math.abs(margins[0] - margins[1])).toBeLessThanOrEqual(1)
})

test('two windows overlap where the screen is too narrow for both', () => {
  const [left, right] = placeSideBySide(TINY)
  expect(left).toEqual({ x: 10, y: 20, ...SMALLEST })
  expect(right).toEqual({ x: 10 + 600 - SMALLEST.width, y: 20, ...SMALLEST })
})

test('another window stands a step from the one before', () => {
  const before = { x: 100, y: 100, width: 800, height: 600 }
  expect(placeBeside(before, HD)).toEqual({ x: 132, y: 132, width: 800, height: 600 })
})

test.each([
  ['to the right', { x: 1_100, y: 100, width: 800, height: 600 }, { x: 0, y: 132 }],
  ['below', { x: 100, y: 430, width: 800, height: 600 }, { x: 132, y: 25 }],
  ['at its own screen', { x: 5_000, y: 5_000, width: 800, height: 600 }, { x: 0, y: 25 }],
])('another window comes back into the work area where it would leave it %s', (_, before, at) => {
  expect(placeBeside(before, HD)).toEqual({ ...at, width: 800, height: 600 })
})

test('another window is no larger than the screen it is on', () => {
  const { width, height } = placeBeside({ x: 0, y: 0, width: 3_000, height: 2_000 }, LAPTOP)
  expect([width, height]).toEqual([1_280, 720])
})
