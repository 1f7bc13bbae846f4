import { count, flush, goOn, type Sender, trim } from './numbering.js'
import {
  type Call,
  type Connection,
  type Control,
  type Data,
  hasEnded,
  isData,
  type Message,
  newData,
  newNumbering,
  type ServerSession,
  serverCallOf,
} from './state.js'
import { connectionOf, end, type Turn, write } from './turn.js'

/** What the server does. Each exported function is one turn of its event loop. */

/** Handles a message, from whichever connection. */
export function take(turn: Turn, connection: Connection, message: Message): void {
  if (message.kind === 'hello') return hello(turn, connection, message)
  const session = sessionOf(turn, connection)
  if (!session) return turn.note('ignored: not its session’s connection')
  if (isData(message)) {
    if (session.connection !== connection.id) turn.state.record.fencePassed = true
    return dispatch(turn, session, message)
  }
  if (message.kind === 'ack') {
    if (trim(turn, session, message.recv)) return flushNow(turn, session)
    refuse(connection, 4400)
    endSession(turn, session, 'forgotten')
    return
  }
  if (message.kind === 'close') {
    connection.server = false
    endSession(turn, session, 'forgotten')
  }
}

/** The other half of the fence: a connection is heard while it is its session's. */
function sessionOf({ state, mistake }: Turn, connection: Connection): ServerSession | undefined {
  const session = state.server.sessions.find(({ sid }) => sid === connection.sid)
  if (mistake === 'no server fence') return session
  return session?.connection === connection.id ? session : undefined
}

function dispatch(turn: Turn, session: ServerSession, frame: Data): void {
  const { calls, started } = turn.state
  count(turn, session, session.sid, frame)
  if (frame.kind === 'call') {
    if (session.fenced && turn.mistake !== 'bye without a fence') {
      turn.note('not run: it is above the recv of the bye')
      return
    }
    ;(calls[frame.call] as Call).starts++
    started.push(frame.call)
    session.running.push(frame.call)
    turn.note(`starts call ${frame.call}`)
  } else if (frame.kind === 'answer') {
    const call = serverCallOf(turn.state, session.sid, frame.call)
    if (call?.phase === 'written') end(turn, call, 'value')
  }
}

// ── Resuming ──────────────────────────────────────────────────────────────────────────────────────

function hello(
  turn: Turn,
  connection: Connection,
  message: Extract<Control, { kind: 'hello' }>,
): void {
  const { server } = turn.state
  if (!connection.server && turn.mistake !== 'hello of an ended connection') {
    return turn.note('ignored: the connection has ended')
  }
  if (server.draining) return refuse(connection, 1001)
  const { resume, attempt } = message
  if (!resume) return welcome(turn, connection, attempt, null)
  const session = server.sessions.find(({ sid }) => sid === resume.sid)
  if (!session) {
    const grave = server.tombstones.find(({ sid }) => sid === resume.sid)
    const lastRecv = grave?.token === resume.token ? grave.lastRecv : null
    return welcome(turn, connection, attempt, lastRecv)
  }
  // Who has not the token is told nothing: as if there were no such session.
  if (session.token !== resume.token) return welcome(turn, connection, attempt, null)
  if (attempt <= session.attempt && turn.mistake !== 'no attempt number') {
    turn.note('refused: a later attempt has come before')
    return refuse(connection, 4409)
  }
  if (!trim(turn, session, resume.recv)) return refuse(connection, 4400)
  takeOver(turn, session, attempt)
  session.connection = connection.id
  session.acked = session.recv
  connection.sid = session.sid
  if (turn.mistake === 'token rotated without grace') session.token++
  write(connection, 'down', {
    kind: 'result',
    sid: session.sid,
    token: session.token,
    resumed: true,
    recv: session.recv,
    lastRecv: null,
  })
  goOn(turn, sender(turn, session))
}

/** The fence: from now on the connection before is not heard, and is told that it lost. */
export function takeOver({ state }: Turn, session: ServerSession, attempt: number): void {
  const loser = connectionOf(state, session.connection)
  if (loser) refuse(loser, 4409)
  session.connection = 0
  session.attempt = attempt
}

/** A new session, whatever there was before. */
function welcome(
  { state }: Turn,
  connection: Connection,
  attempt: number,
  lastRecv: number | null,
): void {
  const { server } = state
  const sid = ++server.sessionsMade
  const token = sid * 100
  server.sessions.push({
    sid,
    token,
    attempt,
    connection: connection.id,
    fenced: false,
    outbox: [],
    running: [],
    ...newNumbering(),
  })
  connection.sid = sid
  write(connection, 'down', { kind: 'result', sid, token, resumed: false, recv: 0, lastRecv })
}

function refuse(connection: Connection, code: number): void {
  write(connection, 'down', { kind: 'close', code })
  connection.server = false
}

// ── Sessions' ends ────────────────────────────────────────────────────────────────────────────────

/** The connection ended, or was taken for dead. The session is detached, and goes on. */
export function lose(turn: Turn, connection: Connection): void {
  connection.server = false
  const session = turn.state.server.sessions.find((one) => one.connection === connection.id)
  if (!session) return
  session.connection = 0
  // What waited behind a full window counts, too.
  if (overflows(turn, session)) overflow(turn, session)
}

function overflows({ scope }: Turn, { outbox, kept }: ServerSession): boolean {
  return outbox.length + kept.length > scope.buffer
}

function overflow(turn: Turn, session: ServerSession): void {
  turn.note(`session ${session.sid} ends: its buffer is full, and nobody is there`)
  turn.state.record.excused = true
  endSession(turn, session, 'buried')
}

/** The window of a detached session is over. */
export function expire(turn: Turn, session: ServerSession): void {
  endSession(turn, session, 'buried')
}

/** The session is no more, and its calls have ended. Buried: its tombstone says how far it came. */
function endSession(turn: Turn, session: ServerSession, how: 'buried' | 'forgotten'): void {
  const { server, serverCalls } = turn.state
  server.sessions = server.sessions.filter((other) => other !== session)
  const { sid, token, recv: lastRecv } = session
  if (how === 'buried') server.tombstones.push({ sid, token, lastRecv })
  for (const call of serverCalls) {
    if (call.sid !== sid || call.phase === 'unmade' || hasEnded(call)) continue
    end(turn, call, call.phase === 'unsent' ? 'not-sent' : 'maybe-executed')
  }
}

/** From now on nothing new is run: those attached are told how far it went, the others find nothing. */
export function drain(turn: Turn): void {
  const { state } = turn
  const { server } = state
  server.draining = true
  state.record.excused = true
  for (const session of [...server.sessions]) {
    const connection = connectionOf(state, session.connection)
    if (!connection) {
      endSession(turn, session, 'forgotten')
      continue
    }
    session.fenced = true
    write(connection, 'down', { kind: 'bye', recv: session.recv })
    turn.note(`says bye {recv ${session.recv}}`)
  }
}

/** Whether a draining server has nothing left to do. */
export function isDrained({ draining, sessions }: Turn['state']['server']): boolean {
  return (
    draining &&
    sessions.every(
      ({ running, outbox, connection }) =>
        connection === 0 || (running.length === 0 && outbox.length === 0),
    )
  )
}

/** The drained process ends, and another one takes its place. */
export function exit(turn: Turn): void {
  const { server, connections } = turn.state
  for (const session of [...server.sessions]) endSession(turn, session, 'forgotten')
  for (const connection of connections) if (connection.server) refuse(connection, 1001)
  forgetAll(turn)
}

/** The process is killed, and another one takes its place. */
export function restart(turn: Turn): void {
  const { state } = turn
  state.record.excused = true
  for (const call of state.serverCalls) {
    if (call.phase !== 'unmade' && !hasEnded(call)) end(turn, call, 'caller-died')
  }
  for (const connection of state.connections) {
    if (connection.server) connection.open = false
    connection.server = false
  }
  forgetAll(turn)
}

/** What was in the process's memory, frames that it had not handled among it. */
function forgetAll({ state }: Turn): void {
  for (const connection of state.connections) connection.up = []
  Object.assign(state.server, { draining: false, sessions: [], tombstones: [] })
}

// ── Calls ─────────────────────────────────────────────────────────────────────────────────────────

export function call(turn: Turn, session: ServerSession, index: number): void {
  const { serverCalls } = turn.state
  const { sid } = session
  const id = serverCalls.filter((call) => call.sid === sid).length
  Object.assign(serverCalls[index] as Call, { phase: 'unsent', sid, id })
  say(turn, session, newData('call', id))
}

/** A handler is done with a call of the client's. */
export function finish(turn: Turn, session: ServerSession, index: number): void {
  session.running = session.running.filter((running) => running !== index)
  say(turn, session, newData('answer', index))
}

export function acknowledge({ state }: Turn, session: ServerSession): void {
  session.acked = session.recv
  const connection = connectionOf(state, session.connection)
  write(connection, 'down', { kind: 'ack', recv: session.recv })
}

function say(turn: Turn, session: ServerSession, frame: Data): void {
  session.outbox.push(frame)
  if (session.connection !== 0) flushNow(turn, session)
  else if (overflows(turn, session)) overflow(turn, session)
}

function flushNow(turn: Turn, session: ServerSession): void {
  if (session.connection !== 0) flush(turn, sender(turn, session))
}

function sender({ state }: Turn, session: ServerSession): Sender {
  const connection = connectionOf(state, session.connection)
  return {
    numbering: session,
    sid: session.sid,
    outbox: session.outbox,
    write: (message) => write(connection, 'down', message),
    numbered: ({ kind, call: id, number }) => {
      const call = serverCallOf(state, session.sid, id)
      if (kind === 'call' && call) Object.assign(call, { phase: 'written', number })
    },
    admits: () => true,
  }
}
