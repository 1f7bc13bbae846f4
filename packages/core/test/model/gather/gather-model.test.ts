import { describe, expect, it } from 'vitest'
import { isDeep, maxStates } from '../deep.js'
import { ENDLESS, type SearchResult, search } from '../search.js'
import { replay } from '../trace.js'
import { gatherModel } from './gather-model.js'
import { gatherMutants } from './gather-mutants.js'
import { gatherPromises } from './gather-properties.js'
import { deepGatherScopes, type GatherScope, gatherScope, gatherScopes } from './gather-scopes.js'
import type { State } from './gather-state.js'

/**
 * Group calls over nodes and their membership, searched (README.md in the folder above).
 *
 * `FLASHRPC_MODEL=deep` searches larger scopes, too, as in `session-model.test.ts`.
 */

/** What CI must have seen, at the least. */
const STATES = 100_000

describe('the protocol of group calls', () => {
  let seen = 0

  it.each(gatherScopes)('keeps its promises: $name', { timeout: 60_000 }, (scope) => {
    const result = searched(scope)
    expect(result.complete).toBe(true)
    expect(result.resting).toBeGreaterThan(0)
    seen += result.states
  })

  it(`was searched in ${STATES} states or more`, () => {
    console.log(`Group calls: ${seen} states in ${gatherScopes.length} scopes`)
    expect(seen).toBeGreaterThanOrEqual(STATES)
  })

  it.runIf(isDeep).each(deepGatherScopes)(
    'keeps its promises, searched deeply: $name',
    { timeout: 3_600_000 },
    (scope) => {
      const { states, transitions, depth, complete } = searched(scope, maxStates)
      const reach = complete ? 'all' : 'no more were asked for'
      console.log(
        `${scope.name}: ${states} states (${reach}), ${transitions} steps, depth ${depth}`,
      )
    },
  )
})

/** What the searches must come across: a model in which little can happen breaks no promise either. */
const situations: readonly [
  what: string,
  scope: GatherScope,
  isThere: (state: State) => boolean,
][] = [
  [
    'two targets that have their values',
    gatherScope('', { members: 2 }),
    ({ caller, record }) => caller.phase === 'over' && record.ended.every((end) => end === 'ok'),
  ],
  [
    'a member that came as the call was under way, and has its value',
    gatherScope('', { joins: 1 }),
    ({ caller, record }) => caller.phase === 'over' && record.ended[0] === 'ok',
  ],
  [
    'a call that comes by the topic and directly',
    gatherScope('', { members: 1, asks: 1 }),
    ({ callee, engine }) =>
      callee.seenIn > 0 && engine.toCallee.some(({ kind, flag }) => kind === 'call' && flag),
  ],
  [
    'a call that comes by a subscription that has ended',
    gatherScope('', { members: 1, leaves: 1 }),
    ({ callee, engine }) => callee.isEnding && engine.toCallee[0]?.kind === 'call',
  ],
  [
    'a target that may have run, and did, of a callee that was killed',
    gatherScope('', { members: 1, kills: 1 }),
    ({ caller, record }) =>
      caller.phase === 'over' && record.ended[0] === 'maybe' && record.ran[0] === 1,
  ],
  [
    'a callee that is lost before it has named its targets',
    gatherScope('', { members: 1, kills: 1 }),
    ({ caller, record }) => caller.phase === 'over' && record.unreached === 'maybe',
  ],
  [
    'a call that is not sent',
    gatherScope('', { members: 1, cuts: 1 }),
    ({ record }) => record.unreached === 'not-sent',
  ],
  [
    'a caller that is without the engine for too long, and has lost what others owe',
    gatherScope('', { members: 1, cuts: 1, outages: 1 }),
    ({ caller, record }) =>
      caller.phase === 'over' && caller.epoch === 2 && record.ended[0] === 'maybe',
  ],
  [
    'a callee that goes on in a new epoch, and is known in it',
    gatherScope('', { members: 1, falseDeaths: 1 }),
    ({ caller, callee }) =>
      callee.epoch === 2 && caller.callee.isInStep && caller.callee.epoch === 2,
  ],
  [
    'a callee that is asked in an epoch for what it ran in the last',
    gatherScope('', { members: 1, falseDeaths: 1 }),
    ({ callee, engine }) =>
      callee.seenIn === 1 &&
      callee.epoch === 2 &&
      engine.toCallee[0]?.kind === 'call' &&
      engine.toCallee[0].flag,
  ],
  [
    'a caller that goes on in a new epoch',
    gatherScope('', { members: 1, falseDeaths: 1 }),
    ({ caller }) => caller.epoch === 2,
  ],
  [
    'a callee that was closed after its handlers had ended',
    gatherScope('', { members: 1, closes: 1 }),
    ({ caller, callee, record }) =>
      !callee.isAlive && !caller.callee.isKnown && record.ended[0] === 'ok',
  ],
  [
    'announcements that were lost, and are known again',
    gatherScope('', { joins: 1, losses: 1 }),
    ({ record, caller: { callee } }) =>
      record.isInexact && callee.isInStep && callee.hasTopic && callee.step === 1,
  ],
]

describe('the model of group calls', () => {
  it.each(situations)('knows %s', (what, scope, isThere) => {
    const absent = { name: what, when: 'always', holds: (state: State) => !isThere(state) } as const
    expect(search(gatherModel(scope), [absent]).violation?.property).toBe(what)
  })
})

describe('a mistake in the protocol of group calls', () => {
  /** What was found in scopes without a mistake: several mutants have the same scope. */
  const right = new Map<string, SearchResult>()

  it.each(gatherMutants)(
    'is found: $mistake',
    { timeout: 60_000 },
    ({ mistake, scope, breaks }) => {
      const model = gatherModel(scope, mistake)
      const { violation } = search(model, gatherPromises)
      expect(violation?.property).toBe(breaks)
      if (breaks !== ENDLESS) {
        const broken = gatherPromises.find((promise) => promise.name === breaks)
        expect(broken?.holds(replay(model, violation?.steps ?? []).last)).toBe(false)
      }
      // The same scope without the mistake is right: it is the mistake that was found.
      const key = JSON.stringify(scope)
      const found = right.get(key) ?? search(gatherModel(scope), gatherPromises)
      right.set(key, found)
      expect(found).toMatchObject({ complete: true, violation: undefined })
    },
  )
})

/** A search that fails the test with a trace to read. */
function searched(scope: GatherScope, maxStates?: number): SearchResult {
  const model = gatherModel(scope)
  const result = search(model, gatherPromises, maxStates === undefined ? {} : { maxStates })
  const { violation } = result
  if (violation) {
    expect.fail(`Not so: ${violation.property}\n${replay(model, violation.steps).text}`)
  }
  return result
}
