import { describe, expect, it } from 'vitest'
import { isDeep, maxStates } from './deep.js'
import { mutants } from './mutants.js'
import { promises } from './properties.js'
import { deepScopes, type Scope, scope, scopes } from './scopes.js'
import { type SearchResult, search } from './search.js'
import { propertiesOf, sessionModel } from './session-model.js'
import type { Message, State } from './state.js'
import { replay } from './trace.js'

/**
 * The protocol of sessions, searched (README.md in this folder).
 *
 * `FLASHRPC_MODEL=deep` searches larger scopes, too, which takes minutes and memory:
 * `NODE_OPTIONS=--max-old-space-size=6000 FLASHRPC_MODEL=deep pnpm exec vitest run --project node
 * packages/core/test/model`. `FLASHRPC_MODEL_STATES=500000` ends each of those searches there.
 */

/** What CI must have seen, at the least. */
const STATES = 100_000

describe('the protocol of sessions', () => {
  let seen = 0

  it.each(scopes)('keeps its promises: $name', { timeout: 60_000 }, (scope) => {
    const result = searched(scope)
    expect(result.complete).toBe(true)
    expect(result.resting).toBeGreaterThan(0)
    seen += result.states
  })

  it(`was searched in ${STATES} states or more`, () => {
    console.log(`Sessions: ${seen} states in ${scopes.length} scopes`)
    expect(seen).toBeGreaterThanOrEqual(STATES)
  })

  it.runIf(isDeep).each(deepScopes)(
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
const situations: readonly [what: string, scope: Scope, isThere: (state: State) => boolean][] = [
  [
    'a resumed session whose frames are replayed in both directions',
    scope('', { calls: 1, serverCalls: 1, cuts: 1 }),
    ({ connections }) =>
      connections.some(
        ({ id, up, down }) => id === 2 && up.some(is('call')) && down.some(is('call')),
      ),
  ],
  [
    'a frame of an older connection that is still to be handled',
    scope('', { calls: 1, falseDeaths: 1 }),
    ({ client, connections }) =>
      client.ready &&
      connections.some(({ id, up }) => id < client.connection && up.some(is('call'))),
  ],
  [
    'a client that is told that it lost against a twin, and stops',
    scope('', { calls: 1, twins: 1 }),
    ({ client, calls }) => client.phase === 'failed' && calls[0]?.phase === 'maybe-executed',
  ],
  [
    'a hello that comes after that of a later attempt',
    scope('', { calls: 1, cuts: 2 }),
    ({ server, connections }) =>
      connections.some(
        ({ id, up, server: isHeard }) =>
          isHeard &&
          up.some(is('hello')) &&
          server.sessions.some(({ attempt, sid }) => attempt > id && sid === 1),
      ),
  ],
  [
    'a call that is sent again in a new session, and has its value',
    scope('', { calls: 1, cuts: 1, expiries: 1 }),
    ({ client, calls, server }) =>
      client.resends < 9 && server.sessionsMade > 1 && calls[0]?.phase === 'value',
  ],
  [
    'a call that ends not-received',
    scope('', { calls: 1, drains: 1, resends: 0 }),
    ({ calls }) => calls[0]?.phase === 'not-received',
  ],
  [
    'a call that ends maybe-executed and ran',
    scope('', { calls: 1, restarts: 1 }),
    ({ calls: [call] }) => call?.phase === 'maybe-executed' && call.starts === 1,
  ],
  [
    'a call that ends maybe-executed and never ran',
    scope('', { calls: 1, restarts: 1 }),
    ({ calls: [call], connections }) =>
      call?.phase === 'maybe-executed' && call.starts === 0 && connections.length === 1,
  ],
  [
    'a session that ends because its buffer is full',
    scope('', { calls: 2, cuts: 1, buffer: 1 }),
    ({ record }) => record.excused,
  ],
  [
    'a frame that waits because the window is full',
    scope('', { calls: 2, window: 1 }),
    ({ client }) => client.ready && client.outbox.length > 0,
  ],
  [
    'a drained server that exits after its handlers were done',
    scope('', { calls: 1, drains: 1 }),
    ({ calls, budget, server }) =>
      budget.drains === 0 && !server.draining && calls[0]?.phase === 'value' && !server.sessions[0],
  ],
]

function is(kind: Message['kind']): (message: Message) => boolean {
  return (message) => message.kind === kind
}

describe('the model of sessions', () => {
  it.each(situations)('knows %s', (what, scope, isThere) => {
    const absent = { name: what, when: 'always', holds: (state: State) => !isThere(state) } as const
    expect(search(sessionModel(scope), [absent]).violation?.property).toBe(what)
  })

  it('refuses to replay a step that is not possible, and says which are', () => {
    const model = sessionModel(scope('', { calls: 1 }))
    expect(() => replay(model, ['client connects', 'client connects'])).toThrow(
      /^Step 2, "client connects", is not possible. These are:\n {2}server takes hello/,
    )
  })
})

describe('a mistake in the protocol of sessions', () => {
  it.each(mutants)('is found: $mistake', { timeout: 60_000 }, ({ mistake, scope, breaks }) => {
    const model = sessionModel(scope, mistake)
    const { violation } = search(model, promises)
    expect(violation?.property).toBe(breaks)
    const broken = promises.find((promise) => promise.name === breaks)
    const trace = replay(model, violation?.steps ?? [])
    expect(broken?.holds(trace.last)).toBe(false)
    // The same scope without the mistake is right: it is the mistake that was found.
    expect(search(sessionModel(scope), propertiesOf(scope))).toMatchObject({
      complete: true,
      violation: undefined,
    })
  })
})

/** A search that fails the test with a trace to read. */
function searched(scope: Scope, maxStates?: number): SearchResult {
  const model = sessionModel(scope)
  const result = search(model, propertiesOf(scope), maxStates === undefined ? {} : { maxStates })
  const { violation } = result
  if (violation) {
    expect.fail(`Not so: ${violation.property}\n${replay(model, violation.steps).text}`)
  }
  return result
}
