import type { Property } from './search.js'
import { type Call, hasEnded, type State } from './state.js'

/** What sessions promise, as it shows to those who call and those who handle. */
export const promises: readonly Property<State>[] = [
  {
    name: 'a handler starts at most once per call',
    when: 'always',
    holds: (state) => all(state, ({ starts }) => starts <= 1),
  },
  {
    name: 'calls start in the order they were made in',
    when: 'always',
    holds: ({ started, serverStarted }) => isAscending(started) && isAscending(serverStarted),
  },
  {
    name: 'a call with a value ran',
    when: 'always',
    holds: (state) => all(state, ({ phase, starts }) => phase !== 'value' || starts === 1),
  },
  {
    // In each state, and so in all that follow: it never will.
    name: 'a call that was not sent or not received never ran',
    when: 'always',
    holds: (state) =>
      all(
        state,
        ({ phase, starts }) => (phase !== 'not-sent' && phase !== 'not-received') || starts === 0,
      ),
  },
  {
    name: 'a call ends once',
    when: 'always',
    holds: ({ record }) => !record.endedTwice,
  },
  {
    name: 'what is sent again never ran',
    when: 'always',
    holds: ({ record }) => !record.resentStarted,
  },
  {
    name: 'every call has its value, unless its session had a reason to end',
    when: 'always',
    holds: (state) =>
      state.record.excused ||
      all(state, (call) => call.excused || call.phase === 'value' || !hasEnded(call)),
  },
  {
    name: 'a client is never displaced by itself',
    when: 'always',
    holds: ({ client, record }) => client.phase !== 'failed' || record.excused,
  },
  {
    name: 'every call ends',
    when: 'at rest',
    holds: (state) => all(state, (call) => call.phase === 'unmade' || hasEnded(call)),
  },
  {
    name: 'nothing is left over',
    when: 'at rest',
    holds: ({ client, server, connections }) =>
      [client.session, ...server.sessions].every((session) => !session?.kept.length) &&
      [client, ...server.sessions].every(
        ({ outbox, running }) => outbox.length === 0 && running.length === 0,
      ) &&
      connections.length <= 1,
  },
]

/** Why the promises hold: what the two sides know of each other is right at every moment. */
export const invariants: readonly Property<State>[] = [
  {
    name: 'a frame has the number of its position, in its own session',
    when: 'always',
    holds: ({ record }) => !record.misplaced,
  },
  {
    name: 'no frame passes a fence',
    when: 'always',
    holds: ({ record }) => !record.fencePassed,
  },
  {
    name: 'no number is out of range',
    when: 'always',
    holds: ({ record }) => !record.outOfRange,
  },
  {
    name: 'what is kept is what may be asked for',
    when: 'always',
    holds: ({ client, server }) =>
      [client.session, ...server.sessions].every(
        (side) =>
          side === null ||
          (side.kept.length === side.sent - side.trimmed &&
            side.kept.every((frame, index) => frame.number === side.trimmed + 1 + index)),
      ),
  },
]

/** @returns what keeps the buffers of a model with these bounds in check. */
export function bounds(window: number, buffer: number): Property<State> {
  return {
    name: 'buffers are within their bounds',
    when: 'always',
    holds: ({ client, server }) =>
      [client.session, ...server.sessions].every(
        (side) => side === null || side.kept.length <= window,
      ) &&
      server.sessions.every(
        ({ connection, kept, outbox }) => connection !== 0 || kept.length + outbox.length <= buffer,
      ),
  }
}

function all({ calls, serverCalls }: State, holds: (call: Call) => boolean): boolean {
  return calls.every(holds) && serverCalls.every(holds)
}

function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number >= (numbers[index - 1] as number))
}
