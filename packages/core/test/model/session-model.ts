import * as client from './client.js'
import type { Mistake } from './mistakes.js'
import { bounds, invariants, promises } from './properties.js'
import type { Scope } from './scopes.js'
import type { Model, Property, Step } from './search.js'
import * as server from './server.js'
import {
  type Budget,
  type Connection,
  describe,
  newCall,
  type ServerSession,
  type State,
} from './state.js'
import type { Turn } from './turn.js'

/** The protocol of sessions: who can do what, when. What is then done, client.ts and server.ts say. */
export function sessionModel(scope: Scope, mistake?: Mistake): Model<State> {
  return {
    initial: () => initial(scope),
    steps: (state) => steps(state, scope, mistake),
  }
}

/** All that must hold in the model of this scope. */
export function propertiesOf({ window, buffer }: Scope): Property<State>[] {
  return [...promises, ...invariants, bounds(window, buffer)]
}

function initial(scope: Scope): State {
  const { cuts, falseDeaths, expiries, restarts, drains, closes, cancels, twins } = scope
  return {
    client: {
      phase: 'running',
      attempt: 0,
      connection: 0,
      ready: false,
      leaving: false,
      session: null,
      outbox: [],
      running: [],
      resends: scope.resends,
    },
    server: { draining: false, sessions: [], tombstones: [], sessionsMade: 0 },
    connections: [],
    calls: Array.from({ length: scope.calls }, newCall),
    serverCalls: Array.from({ length: scope.serverCalls }, newCall),
    started: [],
    serverStarted: [],
    budget: { cuts, falseDeaths, expiries, restarts, drains, closes, cancels, twins },
    record: {
      excused: false,
      fencePassed: false,
      misplaced: false,
      endedTwice: false,
      resentStarted: false,
      outOfRange: false,
    },
  }
}

/** Collects what can happen in one state. */
class Possibilities {
  readonly steps: Step<State>[] = []
  readonly #scope: Scope
  readonly #mistake: Mistake | undefined

  constructor(scope: Scope, mistake: Mistake | undefined) {
    this.#scope = scope
    this.#mistake = mistake
  }

  /** Something that happens sooner or later, faults or not. */
  can(name: string, act: (turn: Turn) => void, fault = false): void {
    const scope = this.#scope
    const mistake = this.#mistake
    this.steps.push({
      name,
      fault,
      apply: (state, note) => {
        act({ state, scope, mistake, note })
        sweep(state)
      },
    })
  }

  /** Something that need not happen, and happens so often at the most. */
  might(name: string, cost: keyof Budget, act: (turn: Turn) => void): void {
    const pay = (turn: Turn): void => {
      turn.state.budget[cost]--
      act(turn)
    }
    this.can(name, pay, true)
  }
}

function steps(state: State, scope: Scope, mistake: Mistake | undefined): Step<State>[] {
  const possible = new Possibilities(scope, mistake)
  for (const connection of state.connections) addConnection(possible, state, connection)
  addClient(possible, state)
  addServer(possible, state)
  for (const session of state.server.sessions) addSession(possible, state, session)
  return possible.steps
}

function addConnection(possible: Possibilities, state: State, connection: Connection): void {
  const { id, up, down, open } = connection
  const { budget } = state
  const [arriving] = up
  if (arriving) {
    possible.can(`server takes ${describe(arriving)} from connection ${id}`, (turn) => {
      const from = connectionIn(turn, id)
      from.up.shift()
      server.take(turn, from, arriving)
    })
  }
  const [returning] = down
  if (returning) {
    possible.can(`client takes ${describe(returning)} from connection ${id}`, (turn) => {
      const from = connectionIn(turn, id)
      from.down.shift()
      client.take(turn, from, returning)
    })
  }
  // Each side learns of an end when it likes. Before there is one, it can only be wrong.
  if (connection.client) {
    const lose = (turn: Turn): void => client.lose(turn, connectionIn(turn, id))
    if (!open || !connection.server) possible.can(`client loses connection ${id}`, lose)
    else if (budget.falseDeaths > 0) {
      possible.might(`client takes the living connection ${id} for dead`, 'falseDeaths', lose)
    }
  }
  if (connection.server) {
    const lose = (turn: Turn): void => server.lose(turn, connectionIn(turn, id))
    if (!open || !connection.client) possible.can(`server loses connection ${id}`, lose)
    else if (budget.falseDeaths > 0) {
      possible.might(`server takes the living connection ${id} for dead`, 'falseDeaths', lose)
    }
  }
  if (open && budget.cuts > 0) {
    // What is not lost was delivered, and is handled some time later.
    for (let keptUp = 0; keptUp <= up.length; keptUp++) {
      for (let keptDown = 0; keptDown <= down.length; keptDown++) {
        const lost = up.length - keptUp + down.length - keptDown
        const which = lost === 0 ? '' : `, losing ${lostText(up, keptUp, down, keptDown)}`
        possible.might(`connection ${id} is cut${which}`, 'cuts', (turn) => {
          const broken = connectionIn(turn, id)
          broken.open = false
          broken.up.splice(keptUp)
          broken.down.splice(keptDown)
        })
      }
    }
  }
}

function lostText(
  up: Connection['up'],
  keptUp: number,
  down: Connection['down'],
  keptDown: number,
): string {
  const lost = [
    ...up.slice(keptUp).map((message) => `${describe(message)} up`),
    ...down.slice(keptDown).map((message) => `${describe(message)} down`),
  ]
  return lost.join(', ')
}

function addClient(possible: Possibilities, state: State): void {
  const { budget, calls } = state
  const { phase, connection, ready, session, running } = state.client
  if (phase !== 'running') return
  if (connection === 0 && !state.server.draining) {
    possible.can('client connects', client.connect)
  }
  for (const index of running) {
    possible.can(`client's handler of call ${index} is done`, (turn) => client.finish(turn, index))
  }
  const next = calls.findIndex((call) => call.phase === 'unmade')
  if (next !== -1) possible.can(`client makes call ${next}`, (turn) => client.call(turn, next))
  if (ready && session && session.recv > session.acked) {
    possible.can('client acknowledges', client.acknowledge)
  }
  if (budget.cancels > 0) {
    for (const [index, call] of calls.entries()) {
      if (call.phase !== 'unsent' && call.phase !== 'written') continue
      possible.might(`client cancels call ${index}`, 'cancels', (turn) =>
        client.cancel(turn, index),
      )
    }
  }
  if (budget.closes > 0) {
    possible.might('client closes', 'closes', (turn) => {
      turn.state.record.excused = true
      client.close(turn)
    })
  }
}

function addServer(possible: Possibilities, state: State): void {
  const { budget } = state
  if (server.isDrained(state.server)) possible.can('server exits, drained', server.exit)
  if (budget.drains > 0 && !state.server.draining) {
    possible.might('server drains', 'drains', server.drain)
  }
  if (budget.restarts > 0) possible.might('server is killed', 'restarts', server.restart)
}

function addSession(possible: Possibilities, state: State, session: ServerSession): void {
  const { sid, running, connection, recv, acked } = session
  const of = `of session ${sid}`
  for (const index of running) {
    possible.can(`server's handler of call ${index} ${of} is done`, (turn) =>
      server.finish(turn, sessionIn(turn, sid), index),
    )
  }
  const next = state.serverCalls.findIndex((call) => call.phase === 'unmade')
  if (next !== -1) {
    possible.can(`server makes call ${next} ${of}`, (turn) =>
      server.call(turn, sessionIn(turn, sid), next),
    )
  }
  if (state.budget.twins > 0 && state.client.session?.sid === sid) {
    possible.might(`a twin of the client takes session ${sid}`, 'twins', (turn) => {
      turn.state.record.excused = true
      server.takeOver(turn, sessionIn(turn, sid), session.attempt + 1)
    })
  }
  if (connection !== 0) {
    if (recv > acked) {
      possible.can(`server acknowledges ${of}`, (turn) =>
        server.acknowledge(turn, sessionIn(turn, sid)),
      )
    }
    return
  }
  const expire = (turn: Turn): void => server.expire(turn, sessionIn(turn, sid))
  if (isOrphan(state, sid)) {
    possible.can(`session ${sid}, which nobody will resume, expires`, (turn) => {
      for (const call of turn.state.serverCalls) if (call.sid === sid) call.excused = true
      expire(turn)
    })
  } else if (state.budget.expiries > 0) {
    possible.might(`session ${sid} expires`, 'expiries', (turn) => {
      turn.state.record.excused = true
      expire(turn)
    })
  }
}

/** Whether the client neither knows the session nor will be told of it. */
function isOrphan({ client: { session }, connections }: State, sid: number): boolean {
  return (
    session?.sid !== sid &&
    !connections.some(({ client: listens, down }) =>
      down.some((message) => listens && message.kind === 'result' && message.sid === sid),
    )
  )
}

/** Forgets the connections that can't matter any more. */
function sweep(state: State): void {
  state.connections = state.connections.filter(
    (connection) =>
      connection.client ||
      connection.server ||
      connection.up.length > 0 ||
      connection.down.length > 0,
  )
}

function connectionIn({ state }: Turn, id: number): Connection {
  return state.connections.find((connection) => connection.id === id) as Connection
}

function sessionIn({ state }: Turn, sid: number): ServerSession {
  return state.server.sessions.find((session) => session.sid === sid) as ServerSession
}
