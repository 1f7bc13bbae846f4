import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Backoff, resolveRetryOptions } from '../src/client/dial/backoff.js'
import { type Failure, judge } from '../src/client/dial/failure.js'
import { httpFailure } from '../src/client/dial/http-failure.js'

const lost: Failure = { message: 'lost', closeCode: 1006 }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('the delay before an attempt', () => {
  const options = { minDelayMs: 500, maxDelayMs: 30_000, maxAttempts: 5 }
  const windows = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]

  test('is anywhere in a window that doubles up to its cap, the first one included', () => {
    for (const random of [0, 0.25, 0.999]) {
      const backoff = new Backoff(options, () => random)
      const delays = windows.map(() => backoff.failed(lost, 0))
      expect(delays).toStrictEqual(windows.map((window) => window * random))
    }
  })

  test('stays in its bounds for as long as it may take', () => {
    const backoff = new Backoff({ ...options, maxDelayMs: Number.POSITIVE_INFINITY })
    for (let n = 0; n < 5_000; n++) {
      const delay = backoff.failed(lost, 0)
      expect(Number.isFinite(delay) && delay >= 0).toBe(true)
    }
  })

  test('differs from client to client', () => {
    const first = () => new Backoff(options).failed(lost, 0)
    expect(new Set(Array.from({ length: 50 }, first)).size).toBeGreaterThan(40)
  })

  test('forgets failures once a connection has held for ten seconds, and not before', () => {
    const backoff = new Backoff(options, () => 1)
    for (let n = 0; n < 3; n++) backoff.failed(lost, 0)
    backoff.opened()
    vi.advanceTimersByTime(9_999)
    expect(backoff.failed(lost, 0)).toBe(4_000)
    expect(backoff.failures).toBe(4)
    backoff.opened()
    vi.advanceTimersByTime(10_000)
    expect(backoff.failed(lost, 0)).toBe(500)
    expect(backoff.failures).toBe(1)
  })

  test('does not count the time between connections as time that one held', () => {
    const backoff = new Backoff(options, () => 1)
    backoff.opened()
    backoff.failed(lost, 0)
    vi.advanceTimersByTime(60_000)
    expect(backoff.failed(lost, 0)).toBe(1_000)
  })

  /** A client that has just lost a connection over which calls were made. */
  function connected(limits = options): Backoff {
    const backoff = new Backoff(limits, () => 1)
    backoff.opened()
    return backoff
  }

  test.each([1001, 1012, 1013])('is in the window of the server’s wish after %i', (closeCode) => {
    const backoff = connected()
    expect(backoff.failed({ ...lost, closeCode }, 5_000)).toBe(5_000)
    backoff.opened()
    expect(backoff.failed({ ...lost, closeCode }, 10)).toBe(1_000)
  })

  test.each([1000, 1005, 1006, 1011, 4408, 4429])(
    'is its own after %i, and in the window of the server’s wish until the server is back',
    (closeCode) => {
      const backoff = connected()
      expect(backoff.failed({ ...lost, closeCode }, 5_000)).toBe(500)
      expect(backoff.failed(lost, 5_000)).toBe(5_000)
      expect(backoff.failed(lost, 5_000)).toBe(5_000)
      expect(backoff.failed(lost, 3_000)).toBe(4_000)
      backoff.opened()
      expect(backoff.failed(lost, 30_000)).toBe(8_000)
    },
  )

  test('is in the window of the server’s wish if it asks an attempt to come back later', () => {
    const backoff = new Backoff(options, () => 1)
    expect(backoff.failed({ ...lost, ...httpFailure(503) }, 5_000)).toBe(5_000)
    expect(backoff.failed({ ...lost, closeCode: 1013 }, 5_000)).toBe(5_000)
    expect(backoff.failed({ ...lost, ...httpFailure(502) }, 5_000)).toBe(2_000)
    // A proxy has answered it: the server was not reached.
    expect(backoff.failed({ ...lost, httpStatus: 503 }, 5_000)).toBe(4_000)
  })

  test('is its own where the attempt after a loss comes about', () => {
    const backoff = connected()
    expect(backoff.failed(lost, 5_000)).toBe(500)
    backoff.opened()
    expect(backoff.failed(lost, 5_000)).toBe(1_000)
  })

  test('is its own before there was a connection, whatever was wished for', () => {
    const backoff = new Backoff(options, () => 1)
    expect(backoff.failed(lost, 5_000)).toBe(500)
    expect(backoff.failed(lost, 5_000)).toBe(1_000)
  })

  test('is in no window that is larger than the largest, whatever the server wishes', () => {
    const backoff = connected({ ...options, maxDelayMs: 700 })
    expect(backoff.failed({ ...lost, closeCode: 1001 }, 5_000)).toBe(700)
  })

  test('is at least as long as the server asked for', () => {
    for (const random of [0, 0.5]) {
      const backoff = new Backoff(options, () => random)
      expect(backoff.failed({ ...lost, retryAfterMs: 7_000 }, 0)).toBe(7_000 + 500 * random)
    }
  })

  test('ends with the last attempt that is allowed', () => {
    const backoff = new Backoff({ ...options, maxAttempts: 2 }, () => 0)
    expect(backoff.isExhausted).toBe(false)
    backoff.failed(lost, 0)
    expect(backoff.isExhausted).toBe(false)
    backoff.failed(lost, 0)
    expect(backoff.isExhausted).toBe(true)
  })
})

describe('what to do after a failure', () => {
  test.each([
    [4400, 'failed'],
    [4403, 'failed'],
    [4409, 'failed'],
    [4401, 'unauthorized'],
    ...[1000, 1001, 1006, 1009, 1011, 1013, 4000, 4408, 4429].map((code) => [code, 'retry']),
  ] as [number, string][])('close code %i: %s', (closeCode, verdict) => {
    expect(judge({ message: '', closeCode })).toBe(verdict)
  })

  test.each([
    [401, 'unauthorized'],
    ...[403, 404, 407, 426].map((status) => [status, 'failed']),
    ...[200, 302, 400, 408, 429, 500, 502, 503, 504].map((status) => [status, 'retry']),
  ] as [number, string][])('HTTP status %i: %s', (httpStatus, verdict) => {
    expect(judge({ message: '', closeCode: 1006, ...httpFailure(httpStatus) })).toBe(verdict)
  })
})

test('options that are left out keep their defaults', () => {
  expect(resolveRetryOptions({ maxAttempts: 3 })).toStrictEqual({
    minDelayMs: 500,
    maxDelayMs: 30_000,
    maxAttempts: 3,
  })
  expect(resolveRetryOptions().maxAttempts).toBe(Number.POSITIVE_INFINITY)
})
