import type { Note } from '../search.js'
import { disconnectCaller } from './gather-engine.js'
import type { GatherMistake } from './gather-mistakes.js'
import { type Ending, type Message, message, type Part, type State } from './gather-state.js'

/** What the caller does, as `ClusterNode`, `Directory`, `Gathers` and `Gather` do it. */

/** The epoch of a node that has left: it does not come back. */
const LAST_EPOCH = 99

/** Publishes the call, and then asks the engine for a barrier. */
export function call(state: State, mistake?: GatherMistake): void {
  const { caller, engine, record } = state
  if (!caller.isUp) {
    if (isExpected(state, mistake)) record.unreached = 'not-sent'
    caller.isOtherOpen = false
    caller.phase = 'over'
    return
  }
  const isNamed = mistake !== 'calls do not name nodes that were given up'
  caller.dead = isNamed ? deadEpoch(state) : 0
  const said = message('call', { epoch: caller.epoch, dead: caller.dead })
  engine.fromCaller.push({ do: 'publish', to: 'topic', message: said }, { do: 'ping' })
  caller.phase = 'barrier'
  if (isExpected(state, mistake)) partOf(state, mistake)
  if (mistake === 'no barrier') expectNodes(state, isExpected(state, mistake), mistake)
}

/** Asks the callee directly. */
export function ask({ caller, engine }: State): void {
  const said = message('call', { epoch: caller.epoch, flag: true, dead: caller.dead })
  engine.fromCaller.push({ do: 'publish', to: 'node', message: said })
}

/** Takes what the engine has delivered. */
export function take(state: State, mistake: GatherMistake | undefined, note: Note): void {
  const { caller } = state
  const came = state.engine.toCaller.shift() as Message
  note(`${came.kind} of epoch ${came.epoch}`)
  if (came.kind === 'pong') {
    if (caller.phase === 'barrier') expectNodes(state, isExpected(state, mistake), mistake)
    return
  }
  if (came.kind === 'buried') {
    if (came.epoch >= caller.epoch) renew(state, came.epoch + 1, mistake)
    return
  }
  if (!hear(state, came.epoch, mistake)) return
  const { callee } = caller
  switch (came.kind) {
    case 'hello':
      callee.isNamed = true
      if (!came.on && !callee.isInStep) inStep(state, came)
      else at(state, came.s, mistake)
      return
    case 'beat':
      return at(state, came.s, mistake)
    case 'delta':
      if (callee.isInStep && came.s <= callee.step) return
      if (!callee.isInStep || came.s !== callee.step + 1) return outOfStep(state)
      callee.step = came.s
      callee.hasTopic = came.on
      return
    case 'snap':
      callee.isNamed = true
      if (!callee.isInStep || came.s > callee.step) inStep(state, came)
      return
    case 'roll':
      return rolled(state, came.epoch, came.ids, mistake)
    case 'leave':
      callee.isLeaving = true
      callee.hasTopic = false
      if (came.flag) remove(state, 'left', mistake)
  }
}

/** Takes what has come over the link. */
export function takeFromLink(state: State, mistake?: GatherMistake): void {
  const item = state.link.shift() as number
  const { epoch, ids } = state.callee
  if (!hear(state, epoch, mistake)) {
    state.link = []
    return
  }
  if (item === -1) return rolled(state, epoch, ids, mistake)
  const { callee, part } = state.caller
  if (!part.isThere || !part.open.includes(item)) return
  if (epoch <= callee.buried) state.record.hasHeededOld = true
  part.open = part.open.filter((id) => id !== item)
  end(state, item, 'ok')
  check(state)
}

/** The callee is given up in its present epoch. */
export function bury(state: State, mistake?: GatherMistake): void {
  remove(state, 'dead', mistake)
}

export function loseEngine(state: State, mistake?: GatherMistake): void {
  const { caller } = state
  caller.isUp = false
  disconnectCaller(state)
  if (caller.phase !== 'barrier') return
  // The barrier fails. Announcements may be lost with it: whoever is known may have the topic.
  const isKnown = caller.callee.isKnown && !caller.callee.isLeaving
  const isTaken = mistake === 'a barrier that fails is taken for one that was passed'
  expectNodes(state, isTaken ? isExpected(state, mistake) : isKnown, mistake)
}

export function comeBack(state: State, mistake?: GatherMistake): void {
  const { caller, engine } = state
  caller.isUp = true
  if (mistake !== 'what was missed without the engine is not doubted')
    caller.callee.isInStep = false
  engine.fromCaller.push({ do: 'connect' })
  tell(state, 'all', message('hello', { epoch: caller.epoch }))
}

/** It is without the engine for too long. */
export function beOut(state: State, mistake?: GatherMistake): void {
  renew(state, state.caller.epoch + 1, mistake)
}

export function beat(state: State): void {
  tell(state, 'all', message('beat', { epoch: state.caller.epoch }))
}

/** The targets at another node have their outcomes. */
export function otherEnds(state: State): void {
  state.caller.isOtherOpen = false
  check(state)
}

/** Whether the callee owes the list of its targets. */
export function isSilent({ caller }: State): boolean {
  return caller.phase === 'open' && caller.part.isThere && !hasRolled(caller.part)
}

/** It goes on in a new epoch: all that others owe is lost. */
function renew(state: State, epoch: number, mistake: GatherMistake | undefined): void {
  const { caller } = state
  caller.epoch = epoch
  state.link = []
  if (isRunning(state) && mistake !== 'a caller that was given up waits on') {
    caller.isLost = true
    caller.isOtherOpen = false
    loseAll(state, mistake)
    check(state)
  }
  tell(state, 'all', message('hello', { epoch }))
}

/** @returns whether the message counts: its epoch is not over. */
function hear(state: State, epoch: number, mistake: GatherMistake | undefined): boolean {
  const { callee } = state.caller
  if (epoch <= callee.buried && mistake !== 'what comes of an epoch that was given up counts') {
    tellBuried(state)
    return false
  }
  if (callee.isKnown && epoch < callee.epoch) return false
  if (callee.isKnown && epoch > callee.epoch) remove(state, 'renewed', mistake)
  if (!callee.isKnown) {
    Object.assign(callee, {
      isKnown: true,
      isNamed: false,
      epoch,
      step: 0,
      isInStep: false,
      hasTopic: false,
      isLeaving: false,
    })
  }
  return true
}

function remove(
  state: State,
  why: 'dead' | 'left' | 'renewed',
  mistake: GatherMistake | undefined,
): void {
  const { caller } = state
  const { callee } = caller
  const { epoch } = callee
  callee.isKnown = false
  callee.buried = why === 'left' ? LAST_EPOCH : epoch
  callee.isGivenUp = why === 'dead'
  // The link of a new epoch stays.
  if (state.callee.epoch === epoch) state.link = []
  if (mistake === 'what a node owes that is given up is waited for') return
  if (why === 'renewed' && mistake === 'a new epoch does not end the last') return
  if (!isRunning(state)) return
  // It may have the call, though nobody knew that it has the topic.
  const isLeftOut =
    mistake === 'a node that is given up before its announcements were read is left out'
  if (caller.phase === 'barrier' && why !== 'left' && !isLeftOut) partOf(state, mistake)
  if (caller.part.isThere && caller.part.epoch === epoch) lose(state, mistake)
  check(state)
}

function tellBuried(state: State): void {
  const { buried, isGivenUp } = state.caller.callee
  if (!isGivenUp || isUnderWay(state, 'buried')) return
  tell(state, 'node', message('buried', { epoch: buried }))
}

/** Compares what the callee has announced with what came. */
function at(state: State, step: number, mistake: GatherMistake | undefined): void {
  const { callee } = state.caller
  const isAhead = step > callee.step && mistake !== 'announcements that were lost are not asked for'
  if (step === callee.step && callee.isNamed) callee.isInStep = true
  else if (!callee.isInStep || isAhead) outOfStep(state)
}

function inStep({ caller: { callee } }: State, { s, on }: Message): void {
  callee.step = s
  callee.hasTopic = on
  callee.isInStep = true
}

function outOfStep(state: State): void {
  const { caller } = state
  caller.callee.isInStep = false
  if (!isUnderWay(state, 'snap?')) tell(state, 'node', message('snap?', { epoch: caller.epoch }))
}

/** Whether the callee must answer, as far as the directory knows. */
function isExpected({ caller: { callee } }: State, mistake: GatherMistake | undefined): boolean {
  if (!callee.isKnown || callee.isLeaving) return false
  if (callee.isInStep || mistake === 'nodes out of step are not expected') return callee.hasTopic
  return true
}

/** All who must answer are known. */
function expectNodes(state: State, isCallee: boolean, mistake: GatherMistake | undefined): void {
  const { caller } = state
  const { part } = caller
  caller.phase = 'open'
  if (isCallee) partOf(state, mistake)
  else if (part.isThere && part.count === -1 && part.ids.length === 0) part.isThere = false
  loseAll(state, mistake)
  check(state)
}

/** The part of the callee in its present epoch. */
function partOf(state: State, mistake: GatherMistake | undefined): Part {
  const { part, callee } = state.caller
  const { epoch } = callee
  if (part.isThere && part.epoch === epoch) return part
  if (part.isThere) lose(state, mistake)
  return Object.assign(part, { isThere: true, epoch, count: -1, ids: [], open: [] })
}

function rolled(
  state: State,
  epoch: number,
  ids: readonly number[],
  mistake: GatherMistake | undefined,
): void {
  if (!isRunning(state)) return
  if (epoch <= state.caller.callee.buried) state.record.hasHeededOld = true
  const part = partOf(state, mistake)
  for (const id of ids) {
    const isNamed = part.ids.includes(id)
    if (isNamed && mistake !== 'targets that are named again are open again') continue
    if (!isNamed) part.ids.push(id)
    if (!part.open.includes(id)) part.open.push(id)
  }
  if (part.count === -1) part.count = ids.length
  loseAll(state, mistake)
  check(state)
}

function loseAll(state: State, mistake: GatherMistake | undefined): void {
  if (state.caller.isLost && state.caller.part.isThere) lose(state, mistake)
}

/** What the callee owes may have run. */
function lose(state: State, mistake: GatherMistake | undefined): void {
  const { caller, record } = state
  const { part } = caller
  if (isDone(part)) return
  for (const id of part.open) end(state, id, 'maybe')
  part.open = []
  if (hasRolled(part)) return
  part.count = part.ids.length
  if (caller.isUnreached && mistake !== 'a node that is lost twice is unreached twice') return
  caller.isUnreached = true
  record.unreached = 'maybe'
  record.timesUnreached++
}

function end({ record }: State, id: number, ending: Ending): void {
  if (record.ended[id] !== 'none') record.hasEndedTwice = true
  record.ended[id] = ending
}

function check({ caller }: State): void {
  if (caller.phase !== 'open' || caller.isOtherOpen) return
  if (!caller.part.isThere || isDone(caller.part)) caller.phase = 'over'
}

function isRunning({ caller: { phase } }: State): boolean {
  return phase === 'barrier' || phase === 'open'
}

function hasRolled({ count, ids }: Part): boolean {
  return count !== -1 && ids.length >= count
}

function isDone(part: Part): boolean {
  return hasRolled(part) && part.open.length === 0
}

function deadEpoch({ caller: { callee } }: State): number {
  return !callee.isKnown && callee.isGivenUp ? callee.buried : 0
}

/** Questions are repeated after a while; here when nothing is under way that could answer. */
function isUnderWay({ engine }: State, kind: Message['kind']): boolean {
  return (
    engine.toCallee.some((said) => said.kind === kind) ||
    engine.fromCaller.some((order) => order.do === 'publish' && order.message.kind === kind)
  )
}

function tell({ caller, engine }: State, to: 'all' | 'node', said: Message): void {
  if (caller.isUp) engine.fromCaller.push({ do: 'publish', to, message: said })
}
