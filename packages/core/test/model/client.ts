import { count, flush, goOn, type Sender, trim } from './numbering.js'
import {
  type Call,
  type ClientSession,
  type Connection,
  type Control,
  type Data,
  describe,
  hasEnded,
  isData,
  type Message,
  newData,
  newNumbering,
  serverCallOf,
} from './state.js'
import { connectionOf, end, type Turn, write } from './turn.js'

/** What the client does. Each exported function is one turn of its event loop. */

export function connect(turn: Turn): void {
  const { client, connections } = turn.state
  const id = ++client.attempt
  const connection: Connection = {
    id,
    up: [],
    down: [],
    open: true,
    client: true,
    server: true,
    sid: 0,
  }
  connections.push(connection)
  // From here on nothing of an earlier connection is heard: `recv` is told now.
  client.connection = id
  client.ready = false
  const { session } = client
  const resume = session && { sid: session.sid, token: session.token, recv: session.recv }
  write(connection, 'up', { kind: 'hello', attempt: id, resume })
}

/** The connection ended, or was taken for dead. The socket is destroyed; the session goes on. */
export function lose(turn: Turn, connection: Connection): void {
  const { client } = turn.state
  connection.client = false
  if (client.connection !== connection.id) return
  client.connection = 0
  client.ready = false
  if (client.leaving) {
    client.leaving = false
    endSession(turn, null)
  }
}

/** A call enters the outbox, and leaves it at once where it can. */
export function call(turn: Turn, index: number): void {
  const { calls } = turn.state
  ;(calls[index] as Call).phase = 'unsent'
  say(turn, newData('call', index))
}

/** The caller gives a call up. */
export function cancel(turn: Turn, index: number): void {
  const { client, calls } = turn.state
  const call = calls[index] as Call
  call.excused = true
  if (call.phase === 'unsent') {
    client.outbox = client.outbox.filter((frame) => frame.kind !== 'call' || frame.call !== index)
    end(turn, call, 'not-sent')
    return
  }
  end(turn, call, 'maybe-executed')
  const { session } = client
  if (turn.mistake === 'cancelled call leaves the replay' && session && !client.ready) {
    session.kept = session.kept.filter((frame) => frame.kind !== 'call' || frame.call !== index)
  }
  say(turn, newData('cancel', index))
}

/** A handler of the client's is done with a call of the server's. */
export function finish(turn: Turn, index: number): void {
  const { client } = turn.state
  client.running = client.running.filter((running) => running !== index)
  say(turn, newData('answer', index))
}

export function acknowledge({ state }: Turn): void {
  const { session, connection } = state.client
  if (!session) return
  session.acked = session.recv
  write(connectionOf(state, connection), 'up', { kind: 'ack', recv: session.recv })
}

/** `close()`. */
export function close(turn: Turn): void {
  const { state } = turn
  const connection = connectionOf(state, state.client.connection)
  write(connection, 'up', { kind: 'close', code: 1000 })
  stop(turn, 'closed')
}

/** Handles a message, from whichever connection. */
export function take(turn: Turn, connection: Connection, message: Message): void {
  const { client } = turn.state
  const isCurrent = client.connection === connection.id
  if (!isCurrent && !passesFence(turn)) return turn.note('ignored: not its connection')
  if (client.phase !== 'running') return
  if (message.kind === 'result') return welcomed(turn, message)
  if (message.kind === 'close') return closed(turn, connection, message.code)
  const { session } = client
  if (!session) return
  if (isData(message)) {
    if (!isCurrent) turn.state.record.fencePassed = true
    return dispatch(turn, session, message)
  }
  if (message.kind === 'ack') {
    if (!trim(turn, session, message.recv)) return brokenOff(turn, message)
    return flushNow(turn)
  }
  if (message.kind === 'bye') bye(turn, message.recv)
}

/** The fence: an older connection is not heard. */
function passesFence({ mistake, state }: Turn): boolean {
  if (mistake === 'no client fence') return true
  return mistake === 'client fences at the result' && !state.client.ready
}

function dispatch(turn: Turn, session: ClientSession, frame: Data): void {
  const { client, calls, serverCalls, serverStarted } = turn.state
  count(turn, session, session.sid, frame)
  if (frame.kind === 'call') {
    const call = serverCallOf(turn.state, session.sid, frame.call)
    if (call) {
      call.starts++
      serverStarted.push(serverCalls.indexOf(call))
    }
    client.running.push(frame.call)
    turn.note(`starts the server's call ${frame.call}`)
  } else if (frame.kind === 'answer') {
    const call = calls[frame.call]
    if (call?.phase === 'written') end(turn, call, 'value')
  }
}

function welcomed(turn: Turn, result: Extract<Control, { kind: 'result' }>): void {
  const { client } = turn.state
  if (client.ready) return
  const { session } = client
  if (result.resumed && session) {
    if (!trim(turn, session, result.recv)) return brokenOff(turn, result)
    session.token = result.token
    session.acked = session.recv
  } else {
    if (session) endSession(turn, result.lastRecv)
    client.session = { sid: result.sid, token: result.token, ...newNumbering() }
  }
  client.ready = true
  goOn(turn, sender(turn, client.session as ClientSession))
}

/** Nothing above `recv` was run or will be: those calls wait for the next server. */
function bye(turn: Turn, recv: number): void {
  turn.state.client.leaving = true
  takeBack(turn, recv)
}

/**
 * The session is over. What the server is known to have received up to decides what became of the
 * calls; what answers or cancels a call of that session is of no use in another.
 *
 * @param lastRecv null: not known.
 */
function endSession(turn: Turn, lastRecv: number | null): void {
  const { client, calls } = turn.state
  const { session } = client
  if (!session) return
  const isUnknown = lastRecv === null
  if (isUnknown && turn.mistake === 'unknown session taken for not-received') {
    takeBack(turn, session.trimmed)
  } else if (!isUnknown) takeBack(turn, lastRecv)
  for (const [index, call] of calls.entries()) {
    if (call.phase !== 'written') continue
    turn.note(`call ${index}: maybe-executed`)
    end(turn, call, 'maybe-executed')
  }
  if (turn.mistake !== 'answers outlive their session') {
    client.outbox = client.outbox.filter((frame) => frame.kind === 'call')
    client.running = []
  }
  client.session = null
}

/** Calls above `recv` never ran: they go back to the head of the outbox, or end `not-received`. */
function takeBack(turn: Turn, recv: number): void {
  const { client, calls, record } = turn.state
  const again: Data[] = []
  for (const [index, call] of calls.entries()) {
    if (call.phase !== 'written' || call.number <= recv) continue
    call.number = 0
    if (client.resends === 0) {
      turn.note(`call ${index}: not-received`)
      end(turn, call, 'not-received')
      continue
    }
    if (call.starts > 0) record.resentStarted = true
    client.resends--
    call.phase = 'unsent'
    again.push(newData('call', index))
    turn.note(`call ${index}: will be sent again`)
  }
  client.outbox.unshift(...again)
}

function closed(turn: Turn, connection: Connection, code: number): void {
  if (code === 4409 || code === 4400) stop(turn, 'failed')
  else lose(turn, connection)
}

function brokenOff(turn: Turn, message: Message): void {
  turn.note(`closes with 4400: ${describe(message)} is out of range`)
  stop(turn, 'failed')
}

/** Nothing more comes of this client. */
function stop(turn: Turn, phase: 'closed' | 'failed'): void {
  const { state } = turn
  const { client } = state
  const connection = connectionOf(state, client.connection)
  if (connection) connection.client = false
  for (const call of state.calls) {
    if (call.phase === 'unmade' || hasEnded(call)) continue
    end(turn, call, call.phase === 'unsent' ? 'not-sent' : 'maybe-executed')
  }
  Object.assign(client, {
    phase,
    connection: 0,
    ready: false,
    leaving: false,
    session: null,
    outbox: [],
    running: [],
  })
}

function say(turn: Turn, frame: Data): void {
  turn.state.client.outbox.push(frame)
  flushNow(turn)
}

function flushNow(turn: Turn): void {
  const { session, ready } = turn.state.client
  if (session && ready) flush(turn, sender(turn, session))
}

function sender({ state }: Turn, session: ClientSession): Sender {
  const { client, calls } = state
  const connection = connectionOf(state, client.connection)
  return {
    numbering: session,
    sid: session.sid,
    outbox: client.outbox,
    write: (message) => write(connection, 'up', message),
    numbered: ({ kind, call: index, number }) => {
      const call = calls[index]
      if (kind === 'call' && call) Object.assign(call, { phase: 'written', number })
    },
    // A server that leaves is told answers, which its handlers wait for, and no calls.
    admits: ({ kind }) => !client.leaving || kind !== 'call',
  }
}
