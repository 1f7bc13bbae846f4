import type { Model, Note, Step } from '../search.js'
import * as callee from './gather-callee.js'
import * as caller from './gather-caller.js'
import { takeFromCallee, takeFromCaller } from './gather-engine.js'
import type { GatherMistake } from './gather-mistakes.js'
import type { GatherScope } from './gather-scopes.js'
import { type Budget, initialState, message, type State } from './gather-state.js'

/** Every order of events of one group call over an engine, with one mistake if one is given. */
export function gatherModel(scope: GatherScope, mistake?: GatherMistake): Model<State> {
  const { name: _, members, hasOther, haveMet, ...budget } = scope
  return {
    initial: () => initialState({ members, hasOther, haveMet }, budget),
    steps: (state) => stepsOf(state, mistake),
  }
}

type Apply = (state: State, note: Note) => void

function stepsOf(state: State, mistake: GatherMistake | undefined): Step<State>[] {
  const steps: Step<State>[] = []
  const can = (is: boolean, name: string, apply: Apply) => {
    if (is) steps.push({ name, fault: false, apply })
  }
  /** What need not happen, and happens as often as the scope says. */
  const some = (of: keyof Budget, is: boolean, name: string, apply: Apply, fault = false) => {
    if (!is || state.budget[of] === 0) return
    const spend: Apply = (after, note) => {
      after.budget[of]--
      apply(after, note)
    }
    steps.push({ name, fault, apply: spend })
  }
  const fault = (of: keyof Budget, is: boolean, name: string, apply: Apply) => {
    const excuse: Apply = (after, note) => {
      after.record.isExcused = true
      apply(after, note)
    }
    some(of, is, name, excuse, true)
  }
  const { caller: a, callee: b, engine } = state
  const { isAlive } = b
  const known = a.callee
  const isLinked = a.isUp && b.isUp && engine.callerIsThere && engine.calleeIsThere
  const isCalleeUp = isAlive && b.isUp

  // The engine and what it delivers
  can(engine.fromCaller.length > 0, 'engine takes from caller', takeFromCaller)
  can(engine.fromCallee.length > 0, 'engine takes from callee', takeFromCallee)
  can(a.isUp && engine.toCaller.length > 0, 'caller takes', (s, note) =>
    caller.take(s, mistake, note),
  )
  can(isCalleeUp && engine.toCallee.length > 0, 'callee takes', (s, note) =>
    callee.take(s, mistake, note),
  )
  // What a link carries comes by the engine, too: it does not overtake the barrier.
  const isPassed = !engine.toCaller.some(({ kind }) => kind === 'pong')
  can(isLinked && isPassed && state.link.length > 0, 'caller takes from link', (s) =>
    caller.takeFromLink(s, mistake),
  )
  can(!a.isUp, 'caller is back', (s) => caller.comeBack(s, mistake))
  can(isAlive && !b.isUp, 'callee is back', (s) => callee.comeBack(s, mistake))

  // The call
  can(a.phase === 'idle', 'caller calls', (s) => caller.call(s, mistake))
  for (const id of b.running) can(isAlive, `handler ${id} ends`, (s) => callee.answer(s, id))
  const isRunning = a.phase === 'barrier' || a.phase === 'open'
  can(isRunning && a.isOtherOpen, 'another node has answered', caller.otherEnds)

  // Members and topics
  for (const [id, isMember] of b.members.entries()) {
    some('joins', isAlive && !isMember, `member ${id} joins`, (s) => {
      s.callee.members[id] = true
    })
    some('leaves', isAlive && isMember, `member ${id} leaves`, (s) => {
      s.callee.members[id] = false
    })
  }
  const hasMembers = b.members.some(Boolean)
  const isEnding =
    b.isEnding &&
    mistake !== 'a topic is announced again before all has come by its last subscription'
  can(isCalleeUp && hasMembers && !b.hasTopic && !isEnding, 'callee announces the topic', (s) =>
    callee.announce(s, mistake),
  )
  // A topic lasts for longer after its last member than a barrier takes.
  const isLingering = b.ids.length > 0 && a.phase === 'barrier'
  can(isCalleeUp && !hasMembers && b.hasTopic && !isLingering, 'callee ends the topic', (s) =>
    callee.endTopic(s, mistake),
  )
  const isLate = mistake === 'the end of a topic is announced before it is unsubscribed from'
  can(
    isLate && isCalleeUp && b.isSubscribed && !b.hasTopic,
    'callee unsubscribes',
    callee.unsubscribe,
  )

  // What is done by the clock, here when nothing is under way that could make it needless
  const isQuiet =
    engine.fromCaller.length + engine.fromCallee.length === 0 &&
    engine.toCaller.length + engine.toCallee.length + state.link.length === 0
  const isSilent = isLinked && caller.isSilent(state) && mistake !== 'silent nodes are not asked'
  can(isQuiet && isSilent, 'caller asks again', caller.ask)
  some('asks', !isQuiet && isSilent, 'caller asks early', caller.ask)
  const isRight =
    known.isKnown && known.isInStep && known.step === b.step && known.epoch === b.epoch
  can(isQuiet && isLinked && isAlive && !isRight, 'callee says beat', callee.beat)
  const isBuriedThere = a.epoch <= b.callerBuried
  can(isQuiet && isLinked && isAlive && isBuriedThere, 'caller says beat', caller.beat)
  const isDrained = b.running.length === 0 && state.link.length === 0
  can(isCalleeUp && b.isLeaving && isDrained, 'callee ends', callee.stop)
  // The engine says that nobody is there.
  const isMissed = a.isUp && engine.callerIsThere && !engine.calleeIsThere && known.isKnown
  can(isMissed, 'caller gives up callee', (s) => caller.bury(s, mistake))

  // Faults
  fault('kills', isAlive, 'callee is killed', callee.kill)
  fault('closes', isCalleeUp && !b.isLeaving, 'callee begins to leave', callee.retire)
  fault('closes', isCalleeUp, 'callee ends at once', callee.stop)
  fault('cuts', a.isUp, 'caller loses the engine', (s) => caller.loseEngine(s, mistake))
  fault('cuts', isCalleeUp, 'callee loses the engine', callee.loseEngine)
  fault('outages', !a.isUp, 'caller is out for too long', (s) => caller.beOut(s, mistake))
  fault('outages', isAlive && !b.isUp, 'callee is out for too long', callee.beOut)
  fault('falseDeaths', isLinked && known.isKnown, 'caller takes callee for dead', (s) =>
    caller.bury(s, mistake),
  )
  fault('falseDeaths', isAlive && !isBuriedThere, 'callee takes caller for dead', callee.loseCaller)
  fault('falseDeaths', isLinked && isAlive, 'another node takes callee for dead', (s) =>
    s.engine.toCallee.push(message('buried', { epoch: s.callee.epoch })),
  )
  fault('falseDeaths', isLinked, 'another node takes caller for dead', (s) =>
    s.engine.toCaller.push(message('buried', { epoch: s.caller.epoch })),
  )
  for (const to of ['toCaller', 'toCallee'] as const) {
    const [first] = engine[to]
    fault(
      'losses',
      first !== undefined && first.kind !== 'pong',
      `a message is lost, ${to}`,
      (s) => {
        s.engine[to].shift()
        s.record.isInexact = true
      },
    )
  }
  return steps
}
