import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { seededRandom } from '../../src/testing/seeded-random.js'
import { settled } from '../support/raw-end.js'
import { type Ending, type SeenStream, World } from './world.js'

/**
 * Random interleavings of calls and streams both ways, cancels, timeouts, cuts, takeovers, kills, drains and closes,
 * held against what is promised of every call.
 *
 * A failure is shrunk, and printed with what replays it: FLASHRPC_PROPERTY_SEED and
 * FLASHRPC_PROPERTY_PATH. FLASHRPC_PROPERTY_RUNS says how many there are for each level.
 */
const { FLASHRPC_PROPERTY_SEED, FLASHRPC_PROPERTY_PATH, FLASHRPC_PROPERTY_RUNS } = process.env
const RUNS = Number(FLASHRPC_PROPERTY_RUNS ?? 5_000)

type Step = (world: World) => void | Promise<void>

interface Named {
  readonly name: string
  readonly step: Step
}

const small = fc.nat({ max: 7 })
const side = fc.constantFrom('client' as const, 'server' as const)
const way = fc.constantFrom('up' as const, 'down' as const)

function named<T>(
  arbitrary: fc.Arbitrary<T>,
  name: string,
  step: (world: World, of: T) => void | Promise<void>,
) {
  return arbitrary.map(
    (of): Named => ({ name: `${name} ${JSON.stringify(of)}`, step: (world) => step(world, of) }),
  )
}

const call = named(
  fc.record({
    by: side,
    method: fc.constantFrom('run' as const, 'quick' as const),
    timeout: fc.boolean(),
  }),
  'call',
  (world, { by, method, timeout }) => world.call(by, method, timeout),
)
const upTo = fc.nat({ max: 12 })
const take = named(
  fc.record({
    by: side,
    upTo,
    leaveAt: fc.option(fc.integer({ min: 1, max: 8 }), { freq: 3 }),
    timeout: fc.boolean(),
  }),
  'take',
  (world, { by, upTo, leaveAt, timeout }) => world.take(by, upTo, leaveAt, timeout),
)
const give = named(
  fc.record({ by: side, upTo, timeout: fc.boolean() }),
  'give',
  (world, { by, upTo, timeout }) => world.give(by, upTo, timeout),
)
const deliver = named(
  fc.tuple(small, way, fc.integer({ min: 1, max: 6 })),
  'deliver',
  (world, [nth, to, count]) => world.deliver(nth % 3, to, count),
)
const pass = named(fc.constantFrom(1, 15, 50, 400, 1_100, 2_100), 'pass', (world, ms) =>
  world.pass(ms),
)

/** What happens often has more weight: a run of nothing but kills shows nothing. */
const steps = fc.oneof(
  { weight: 8, arbitrary: call },
  { weight: 3, arbitrary: take },
  { weight: 3, arbitrary: give },
  { weight: 10, arbitrary: deliver },
  { weight: 5, arbitrary: pass },
  {
    weight: 3,
    arbitrary: named(fc.tuple(small, small, small), 'cut', (world, of) => world.cut(...of)),
  },
  { weight: 3, arbitrary: named(fc.tuple(small, side), 'lose', (world, of) => world.lose(...of)) },
  {
    weight: 3,
    arbitrary: named(
      fc.tuple(small, fc.constantFrom('value' as const, 'error' as const)),
      'finish',
      (world, of) => world.finish(...of),
    ),
  },
  { weight: 2, arbitrary: named(small, 'abort', (world, nth) => world.abort(nth)) },
  { weight: 1, arbitrary: named(small, 'duplicate', (world, nth) => world.duplicate(nth)) },
  {
    weight: 1,
    arbitrary: named(fc.boolean(), 'refuse', (world, refuses) => world.refuse(refuses)),
  },
  { weight: 1, arbitrary: named(fc.constant(null), 'reconnect', (world) => world.reconnect()) },
  { weight: 1, arbitrary: named(fc.constant(null), 'kill', (world) => world.kill()) },
  { weight: 1, arbitrary: named(fc.constant(null), 'drain', (world) => world.drain()) },
)

/** Most worlds are not closed in the midst of it: after that little happens. */
const schedule = fc.tuple(
  fc.array(steps, { minLength: 4, maxLength: 45 }),
  fc.option(fc.nat({ max: 44 }), { freq: 6 }),
  fc.integer(),
)

const uncaught: unknown[] = []
const note = (error: unknown) => uncaught.push(error)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  process.on('unhandledRejection', note)
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  process.off('unhandledRejection', note)
})

async function play(
  level: 0 | 1,
  of: readonly Named[],
  closesAt: number | null,
  seed: number,
): Promise<void> {
  // Delays are random, and a replay must be none.
  vi.spyOn(Math, 'random').mockImplementation(seededRandom(seed))
  const world = new World(level)
  for (const [index, { step }] of of.entries()) {
    if (index === closesAt) world.close()
    await step(world)
    await settled()
  }
  await world.rest()
  const ends = world.calls.map(({ ends }) => [...ends])
  await world.end()

  for (const [index, { key, by, starts, isOrphan, stream, ends: now }] of world.calls.entries()) {
    const told = `call ${key} of the ${by} ended as [${now}], its handler was started ${starts} times`
    expect(now.length, told).toBeLessThanOrEqual(1)
    if (!isOrphan) expect(ends[index]?.length, `${told}; it was left hanging`).toBe(1)
    expect(starts, told).toBeLessThanOrEqual(1)
    const [ending] = now
    if (ending === 'value' || ending === 'handler-error') expect(starts, told).toBe(1)
    if (ending === 'not-sent' || ending === 'not-received') expect(starts, told).toBe(0)
    expect(ending, told).not.toBe('unexpected')
    if (stream) assertStream(stream, ending, told)
  }
  for (const keys of world.started.values()) {
    expect(keys, 'the order of the calls of a session').toStrictEqual(
      [...keys].sort((a, b) => a - b),
    )
  }
  expect(vi.getTimerCount(), 'timers that are left').toBe(0)
  expect(uncaught).toStrictEqual([])
}

/** No item is lost, repeated or out of place, and the source has ended when all is over. */
function assertStream(stream: SeenStream, ending: Ending | undefined, call: string): void {
  const { upTo, items, toldItems, isBegun, finallys } = stream
  const told = `${call}; of ${upTo} items came [${items}]`
  expect(items, told).toStrictEqual(Array.from({ length: items.length }, (_, n) => n))
  expect(items.length, told).toBeLessThanOrEqual(upTo)
  if (ending === 'value') expect(items.length, told).toBe(upTo)
  if (ending === 'not-sent' || ending === 'not-received') expect(isBegun, told).toBe(false)
  if (toldItems !== undefined) expect(toldItems, told).toBe(items.length)
  expect(finallys, `${told}; its source ended ${finallys} times`).toBe(Number(isBegun))
}

describe('whatever happens, every call ends once, with what is true of it', () => {
  test.each([0, 1] as const)('at level %i', { timeout: 600_000 }, async (level) => {
    await fc.assert(
      fc.asyncProperty(schedule, async ([of, closesAt, seed]) => {
        await play(level, of, closesAt, seed)
      }),
      {
        numRuns: RUNS,
        ...(FLASHRPC_PROPERTY_SEED !== undefined && { seed: Number(FLASHRPC_PROPERTY_SEED) }),
        ...(FLASHRPC_PROPERTY_PATH !== undefined && { path: FLASHRPC_PROPERTY_PATH }),
        reporter: report,
      },
    )
  })
})

/** Says what happened, step by step, in the shortest run that still fails, and how to see it again. */
function report(details: fc.RunDetails<[[Named[], number | null, number]]>): void {
  if (!details.failed) return
  const [of, closesAt, seed] = details.counterexample?.[0] ?? [[], null, 0]
  const story = of
    .map(({ name }, index) => `${index === closesAt ? '  close\n' : ''}  ${name}`)
    .join('\n')
  const error = details.errorInstance
  throw new Error(
    `${String(error instanceof Error ? error.message : error)}\n${story}\n(random ${seed}) after ${details.numRuns} runs. Again: FLASHRPC_PROPERTY_SEED=${details.seed} FLASHRPC_PROPERTY_PATH=${details.counterexamplePath}`,
    { cause: error },
  )
}
