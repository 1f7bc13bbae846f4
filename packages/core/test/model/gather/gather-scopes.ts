import type { Beginning, Budget } from './gather-state.js'

/** What one search sees: what it begins with, and what may happen. */
export interface GatherScope extends Budget, Beginning {
  readonly name: string
}

/** The searches of CI: each sees all there is in its scope. */
export const gatherScopes: readonly GatherScope[] = [
  gatherScope('two members', { members: 2, asks: 1 }),
  gatherScope('joins and leaves', { members: 1, joins: 2, leaves: 2 }),
  gatherScope('nodes that meet', { haveMet: false, members: 1, joins: 1 }),
  gatherScope('a killed callee', { members: 2, kills: 1, hasOther: true }),
  gatherScope('a killed callee, as members come', { joins: 1, kills: 1 }),
  gatherScope('a closed callee', { members: 1, joins: 1, closes: 2, asks: 1 }),
  gatherScope('a lost engine', { members: 1, cuts: 1, hasOther: true }),
  gatherScope('a lost engine, as members come', { joins: 1, cuts: 1 }),
  gatherScope('a lost engine, as members go', { members: 1, leaves: 1, cuts: 1 }),
  gatherScope('an engine that is lost twice', { members: 1, cuts: 2 }),
  gatherScope('an outage', { members: 1, cuts: 1, outages: 1, hasOther: true }),
  gatherScope('a false death', { members: 1, asks: 1, falseDeaths: 1, hasOther: true }),
  gatherScope('a false death, as members come', { joins: 1, falseDeaths: 1 }),
  gatherScope('two false deaths', { members: 1, falseDeaths: 2 }),
  gatherScope('a lost message', { members: 1, joins: 1, asks: 1, losses: 1, hasOther: true }),
  gatherScope('a lost message, as members come and go', { joins: 1, leaves: 1, losses: 1 }),
  gatherScope('two lost messages', { joins: 1, asks: 1, losses: 2 }),
]

/** Larger ones, for searches by hand and at night. */
export const deepGatherScopes: readonly GatherScope[] = [
  gatherScope('joins and leaves of two', { members: 2, joins: 2, leaves: 2, asks: 1 }),
  gatherScope('nodes that meet, and a killed callee', {
    haveMet: false,
    members: 1,
    joins: 1,
    kills: 1,
  }),
  gatherScope('a lost engine, as members come and go', {
    members: 1,
    joins: 1,
    leaves: 1,
    cuts: 1,
  }),
  gatherScope('a lost engine, as two members come', { joins: 2, cuts: 1, hasOther: true }),
  gatherScope('an engine that is lost twice, as members come', { joins: 1, cuts: 2 }),
  gatherScope('an outage, as members come', { joins: 1, cuts: 1, outages: 1 }),
  gatherScope('two outages', { members: 1, cuts: 2, outages: 2 }),
  gatherScope('a false death and a lost engine', { members: 1, falseDeaths: 1, cuts: 1 }),
  gatherScope('a false death and a lost engine, with another node', {
    members: 1,
    falseDeaths: 1,
    cuts: 1,
    hasOther: true,
  }),
  gatherScope('a false death and a killed callee', { members: 2, falseDeaths: 1, kills: 1 }),
  gatherScope('two false deaths, as members come', { joins: 1, falseDeaths: 2 }),
  gatherScope('two false deaths, with another node', {
    members: 1,
    asks: 1,
    falseDeaths: 2,
    hasOther: true,
  }),
  gatherScope('three false deaths', { members: 1, falseDeaths: 3 }),
  gatherScope('a closed callee and a false death', { members: 1, closes: 2, falseDeaths: 1 }),
  gatherScope('a lost message and a false death', { members: 1, losses: 1, falseDeaths: 1 }),
  gatherScope('a lost message and a lost engine', { joins: 1, losses: 1, cuts: 1 }),
]

/** A scope in which nothing happens beside the call, but for what is said. */
export function gatherScope(name: string, parts: Partial<GatherScope>): GatherScope {
  return {
    members: 0,
    hasOther: false,
    haveMet: true,
    joins: 0,
    leaves: 0,
    asks: 0,
    kills: 0,
    cuts: 0,
    outages: 0,
    falseDeaths: 0,
    closes: 0,
    losses: 0,
    ...parts,
    name,
  }
}
