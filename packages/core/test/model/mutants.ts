import type { Mistake } from './mistakes.js'
import { type Scope, scope } from './scopes.js'

/** A model that makes one mistake, and the promise that it breaks. */
export interface Mutant {
  readonly mistake: Mistake
  /** The smallest scope that shows it. */
  readonly scope: Scope
  /** The first promise broken, on one of the shortest ways to break any. */
  readonly breaks: string
}

export const mutants: readonly Mutant[] = [
  {
    mistake: 'no server fence',
    scope: scope('a cut', { calls: 1, cuts: 1 }),
    breaks: 'a handler starts at most once per call',
  },
  {
    mistake: 'no client fence',
    scope: scope('a cut', { serverCalls: 1, cuts: 1 }),
    breaks: 'a handler starts at most once per call',
  },
  {
    mistake: 'trimming on send',
    scope: scope('a cut', { calls: 1, cuts: 1 }),
    breaks: 'every call ends',
  },
  {
    mistake: 'new frames before the replay',
    scope: scope('a cut', { calls: 2, cuts: 1 }),
    breaks: 'calls start in the order they were made in',
  },
  {
    mistake: 'token rotated without grace',
    scope: scope('two cuts', { calls: 1, cuts: 2 }),
    breaks: 'every call has its value, unless its session had a reason to end',
  },
  {
    mistake: 'no attempt number',
    scope: scope('two cuts', { calls: 1, cuts: 2 }),
    breaks: 'a client is never displaced by itself',
  },
  {
    mistake: 'bye without a fence',
    scope: scope('a drain', { calls: 1, drains: 1 }),
    breaks: 'what is sent again never ran',
  },
  {
    mistake: 'client fences at the result',
    scope: scope('a cut', { serverCalls: 1, cuts: 1 }),
    breaks: 'a handler starts at most once per call',
  },
  {
    mistake: 'hello of an ended connection',
    scope: scope('a cut', { serverCalls: 1, cuts: 1 }),
    breaks: 'every call ends',
  },
  {
    mistake: 'cancelled call leaves the replay',
    scope: scope('a cancelled call', { calls: 1, cuts: 1, cancels: 1 }),
    breaks: 'nothing is left over',
  },
  {
    mistake: 'answers outlive their session',
    scope: scope('an expiry', { serverCalls: 2, cuts: 1, expiries: 1 }),
    breaks: 'a call with a value ran',
  },
  {
    mistake: 'unknown session taken for not-received',
    scope: scope('a killed server', { calls: 1, restarts: 1 }),
    breaks: 'what is sent again never ran',
  },
]
