import type { Property } from '../search.js'
import type { State } from './gather-state.js'

/** What a group call promises. */
export const gatherPromises: readonly Property<State>[] = [
  {
    name: 'a target runs at most once',
    when: 'always',
    holds: ({ record }) => record.ran.every((times) => times <= 1),
  },
  {
    name: 'a target has one outcome at most',
    when: 'always',
    holds: ({ record }) => !record.hasEndedTwice,
  },
  {
    name: 'a node is unreached once at most',
    when: 'always',
    holds: ({ record }) => record.timesUnreached <= 1,
  },
  {
    name: 'a target with a value ran',
    when: 'always',
    holds: ({ record }) => record.ended.every((end, id) => end !== 'ok' || record.ran[id] === 1),
  },
  {
    name: 'nothing ran that was not sent',
    when: 'always',
    holds: ({ record }) =>
      record.unreached !== 'not-sent' || record.ran.every((times) => times === 0),
  },
  {
    // In each state after its end, so that none runs later either.
    name: 'no target runs without an outcome',
    when: 'always',
    holds: ({ caller, record }) =>
      caller.phase !== 'over' ||
      record.unreached === 'maybe' ||
      record.isInexact ||
      record.ran.every((times, id) => times === 0 || record.ended[id] !== 'none'),
  },
  {
    name: 'nothing counts of an epoch that is over',
    when: 'always',
    holds: ({ record }) => !record.hasHeededOld,
  },
  {
    name: 'without faults, each target has its value',
    when: 'always',
    holds: ({ record }) =>
      record.isExcused || (record.unreached === 'none' && !record.ended.includes('maybe')),
  },
  { name: 'the call ends', when: 'at rest', holds: ({ caller }) => caller.phase === 'over' },
  {
    name: 'the caller knows of the callee what is true',
    when: 'at rest',
    holds: ({ caller: { callee: known }, callee }) =>
      callee.isAlive
        ? known.isKnown &&
          known.isInStep &&
          known.epoch === callee.epoch &&
          known.hasTopic === callee.members.some(Boolean)
        : !known.isKnown,
  },
]
