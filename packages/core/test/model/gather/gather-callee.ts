import type { Note } from '../search.js'
import { disconnectCallee } from './gather-engine.js'
import type { GatherMistake } from './gather-mistakes.js'
import { type Message, message, type State } from './gather-state.js'

/** What the callee does, as `ClusterNode`, `Directory`, `Interest` and `GroupServer` do it. */

/** Announces the topic, and then subscribes to it. */
export function announce(state: State, mistake?: GatherMistake): void {
  const { callee, engine } = state
  callee.step++
  callee.hasTopic = true
  const isFirst = mistake === 'a topic is subscribed to before it is announced'
  if (isFirst) engine.fromCallee.push({ do: 'subscribe' })
  tellDelta(state)
  if (!isFirst && !callee.isSubscribed) engine.fromCallee.push({ do: 'subscribe' })
  callee.isSubscribed = true
}

/** Unsubscribes from the topic, and then announces that. */
export function endTopic(state: State, mistake?: GatherMistake): void {
  const { callee, engine } = state
  callee.step++
  callee.hasTopic = false
  if (mistake !== 'the end of a topic is announced before it is unsubscribed from') {
    unsubscribe(state)
  }
  tellDelta(state)
  callee.isEnding = true
  engine.fromCallee.push({ do: 'ping' })
}

export function unsubscribe({ callee, engine }: State): void {
  callee.isSubscribed = false
  engine.fromCallee.push({ do: 'unsubscribe' })
}

/** Takes what the engine has delivered. */
export function take(state: State, mistake: GatherMistake | undefined, note: Note): void {
  const { callee, engine } = state
  const came = engine.toCallee.shift() as Message
  note(`${came.kind} of epoch ${came.epoch}`)
  if (came.kind === 'pong') {
    // They come in the order of the pings: the first is that of its hello.
    if (callee.isAnnounced) callee.isEnding = false
    callee.isAnnounced = true
    return
  }
  // The engine's client drops what comes by a subscription that was ended.
  if (came.kind === 'call' && !came.flag && !callee.isSubscribed) return
  if (came.kind === 'buried') {
    if (mistake === 'a node goes on in an epoch that was given up') return
    if (came.epoch >= callee.epoch) renew(state, came.epoch + 1)
    return
  }
  if (!hear(state, came.epoch)) return
  if (came.kind === 'hello') tell(state, 'node', ownMessage(state, 'beat'))
  if (came.kind === 'snap?') tell(state, 'node', ownMessage(state, 'snap'))
  if (came.kind === 'call') called(state, came, mistake)
}

/** A handler has ended. */
export function answer(state: State, id: number): void {
  const { callee } = state
  callee.running = callee.running.filter((running) => running !== id)
  const isCallerThere = callee.ranFor === callee.callerEpoch && callee.ranFor > callee.callerBuried
  if (isCallerThere) state.link.push(id)
}

export function kill(state: State): void {
  const { callee } = state
  callee.isAlive = false
  callee.isUp = false
  callee.running = []
  state.link = []
  disconnectCallee(state)
}

export function loseEngine(state: State): void {
  const { callee } = state
  callee.isUp = false
  callee.isAnnounced = false
  // What was under way to it is lost.
  callee.isEnding = false
  disconnectCallee(state)
}

export function comeBack(state: State, mistake?: GatherMistake): void {
  const { callee, engine } = state
  callee.isUp = true
  engine.fromCallee.push({ do: 'connect' })
  // The engine's client subscribes again before it says that it is up.
  if (callee.isSubscribed) engine.fromCallee.push({ do: 'subscribe' })
  sayHello(state)
  if (mistake === 'calls are heeded before others know that the node is there') {
    callee.isAnnounced = true
  } else engine.fromCallee.push({ do: 'ping' })
}

/** It is without the engine for too long. */
export function beOut(state: State): void {
  renew(state, state.callee.epoch + 1)
}

/** It gives up the caller. */
export function loseCaller(state: State): void {
  const { callee } = state
  callee.callerBuried = callee.callerEpoch
  forgetCaller(state)
}

/** Accepts no new calls, and says so. */
export function retire(state: State): void {
  state.callee.isLeaving = true
  tell(state, 'all', ownMessage(state, 'leave'))
}

/** It is closed. */
export function stop(state: State): void {
  const { callee, engine } = state
  if (!callee.isLeaving) retire(state)
  tell(state, 'all', { ...ownMessage(state, 'leave'), flag: true })
  callee.isAlive = false
  callee.running = []
  state.link = []
  engine.fromCallee.push({ do: 'end' })
}

export function beat(state: State): void {
  tell(state, 'all', ownMessage(state, 'beat'))
}

function called(state: State, came: Message, mistake: GatherMistake | undefined): void {
  const { callee, record } = state
  // The caller takes nothing of this epoch any more.
  if (came.dead >= callee.epoch) return renew(state, came.dead + 1)
  if (came.dead > 0 && !came.flag && mistake !== 'the next epoch takes calls that do not know it') {
    return
  }
  const isLeaving = callee.isLeaving && mistake !== 'a node that leaves takes new calls'
  if (!came.flag && (!callee.isAnnounced || isLeaving)) return
  if (callee.seenIn > 0 && mistake !== 'calls are not remembered') {
    return tellRoll(state, mistake)
  }
  callee.seenIn = callee.epoch
  callee.ranFor = came.epoch
  callee.ids = isLeaving ? [] : callee.members.flatMap((isMember, id) => (isMember ? [id] : []))
  tellRoll(state, mistake)
  if (callee.ids.length === 0) return
  if (mistake !== 'targets are not named over the link') state.link.push(-1)
  for (const id of callee.ids) {
    record.ran[id] = (record.ran[id] ?? 0) + 1
    if (!callee.running.includes(id)) callee.running.push(id)
  }
}

function tellRoll(state: State, mistake: GatherMistake | undefined): void {
  const { callee } = state
  const isOver =
    callee.seenIn !== callee.epoch && mistake !== 'a new epoch names targets of the last'
  tell(state, 'node', { ...ownMessage(state, 'roll'), ids: isOver ? [] : [...callee.ids] })
}

/** It goes on in a new epoch: what it owes is lost. */
function renew(state: State, epoch: number): void {
  const { callee } = state
  callee.epoch = epoch
  callee.running = []
  state.link = []
  sayHello(state)
}

function sayHello(state: State): void {
  tell(state, 'all', ownMessage(state, 'hello'))
  if (state.callee.isLeaving) tell(state, 'all', ownMessage(state, 'leave'))
}

/** @returns whether the message counts. */
function hear(state: State, epoch: number): boolean {
  const { callee } = state
  if (epoch <= callee.callerBuried) {
    tell(state, 'node', message('buried', { epoch: callee.callerBuried }))
    return false
  }
  if (epoch < callee.callerEpoch) return false
  if (epoch > callee.callerEpoch) {
    callee.callerEpoch = epoch
    forgetCaller(state)
  }
  return true
}

/** Nobody waits for what runs. */
function forgetCaller(state: State): void {
  state.callee.running = []
  state.link = []
}

function tellDelta(state: State): void {
  tell(state, 'all', ownMessage(state, 'delta'))
}

function tell({ callee, engine }: State, to: 'all' | 'node', said: Message): void {
  if (callee.isUp) engine.fromCallee.push({ do: 'publish', to, message: said })
}

function ownMessage({ callee }: State, kind: Message['kind']): Message {
  return message(kind, { epoch: callee.epoch, s: callee.step, on: callee.hasTopic })
}
