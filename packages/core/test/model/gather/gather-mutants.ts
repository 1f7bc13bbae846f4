import { ENDLESS } from '../search.js'
import type { GatherMistake } from './gather-mistakes.js'
import { type GatherScope, gatherScope } from './gather-scopes.js'

/** A model that makes one mistake, and the promise that it breaks. */
export interface GatherMutant {
  readonly mistake: GatherMistake
  /** A small scope that shows it. */
  readonly scope: GatherScope
  /** The first promise broken, on one of the shortest ways to break any. */
  readonly breaks: string
}

const SILENT = 'no target runs without an outcome'
const ENDS = 'the call ends'

export const gatherMutants: readonly GatherMutant[] = [
  {
    mistake: 'a topic is subscribed to before it is announced',
    scope: gatherScope('members come', { joins: 1 }),
    breaks: SILENT,
  },
  {
    mistake: 'the end of a topic is announced before it is unsubscribed from',
    scope: gatherScope('joins and leaves', { members: 1, joins: 1, leaves: 1 }),
    breaks: SILENT,
  },
  {
    mistake: 'a topic is announced again before all has come by its last subscription',
    scope: gatherScope('joins and leaves', { members: 1, joins: 1, leaves: 1 }),
    breaks: SILENT,
  },
  {
    mistake: 'announcements that were lost are not asked for',
    scope: gatherScope('a lost message', { joins: 1, losses: 1 }),
    breaks: ENDLESS,
  },
  {
    mistake: 'nodes out of step are not expected',
    scope: gatherScope('a lost engine', { joins: 1, cuts: 1 }),
    breaks: SILENT,
  },
  {
    mistake: 'what was missed without the engine is not doubted',
    scope: gatherScope('a lost engine', { joins: 1, cuts: 1 }),
    breaks: SILENT,
  },
  {
    mistake: 'calls are heeded before others know that the node is there',
    scope: gatherScope('nodes that meet', { haveMet: false, members: 1 }),
    breaks: SILENT,
  },
  { mistake: 'no barrier', scope: gatherScope('members come', { joins: 1 }), breaks: SILENT },
  {
    mistake: 'a barrier that fails is taken for one that was passed',
    scope: gatherScope('a lost engine', { joins: 1, cuts: 1 }),
    breaks: SILENT,
  },
  {
    mistake: 'silent nodes are not asked',
    scope: gatherScope('a lost engine', { members: 1, cuts: 1 }),
    breaks: ENDS,
  },
  {
    mistake: 'calls are not remembered',
    scope: gatherScope('a callee that is asked early', { members: 1, asks: 1 }),
    breaks: 'a target runs at most once',
  },
  {
    mistake: 'targets are not named over the link',
    scope: gatherScope('a lost message', { members: 1, losses: 1 }),
    breaks: ENDS,
  },
  {
    mistake: 'targets that are named again are open again',
    scope: gatherScope('two members', { members: 2 }),
    breaks: ENDS,
  },
  {
    mistake: 'a node that leaves takes new calls',
    scope: gatherScope('a closed callee', { members: 1, closes: 1 }),
    breaks: SILENT,
  },
  {
    mistake: 'what a node owes that is given up is waited for',
    scope: gatherScope('a killed callee', { members: 1, kills: 1 }),
    breaks: ENDS,
  },
  {
    mistake: 'a node that is given up before its announcements were read is left out',
    scope: gatherScope('a false death', { joins: 1, falseDeaths: 1 }),
    breaks: SILENT,
  },
  {
    mistake: 'a node that is lost twice is unreached twice',
    scope: gatherScope('two false deaths', { members: 1, falseDeaths: 2, hasOther: true }),
    breaks: 'a node is unreached once at most',
  },
  {
    mistake: 'what comes of an epoch that was given up counts',
    scope: gatherScope('a false death', { members: 1, falseDeaths: 1 }),
    breaks: 'nothing counts of an epoch that is over',
  },
  {
    mistake: 'a new epoch does not end the last',
    scope: gatherScope('a false death', { members: 1, falseDeaths: 1 }),
    breaks: ENDS,
  },
  {
    mistake: 'a new epoch names targets of the last',
    scope: gatherScope('a false death', { members: 1, falseDeaths: 1 }),
    breaks: ENDS,
  },
  {
    mistake: 'a node goes on in an epoch that was given up',
    scope: gatherScope('a false death', { members: 1, falseDeaths: 1 }),
    breaks: ENDLESS,
  },
  {
    mistake: 'a caller that was given up waits on',
    scope: gatherScope('a false death', { members: 1, falseDeaths: 1 }),
    breaks: ENDS,
  },
  {
    mistake: 'calls do not name nodes that were given up',
    scope: gatherScope('a false death', { members: 1, falseDeaths: 1 }),
    breaks: SILENT,
  },
  {
    mistake: 'the next epoch takes calls that do not know it',
    scope: gatherScope('a false death', { members: 1, falseDeaths: 1 }),
    breaks: SILENT,
  },
]
