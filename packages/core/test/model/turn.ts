import type { Mistake } from './mistakes.js'
import type { Scope } from './scopes.js'
import type { Note } from './search.js'
import { type Call, type Connection, hasEnded, type Message, type State } from './state.js'

/** One step being taken: what a process does in one go, with nothing in between. */
export interface Turn {
  readonly state: State
  readonly scope: Scope
  readonly mistake: Mistake | undefined
  readonly note: Note
}

/** Connections are numbered from 1, and gone when both sides have let go and nothing is on its way. */
export function connectionOf(state: State, id: number): Connection | undefined {
  return state.connections.find((connection) => connection.id === id)
}

/** Writes a message. One that is written to a connection that was cut, or let go, is lost. */
export function write(
  connection: Connection | undefined,
  way: 'up' | 'down',
  message: Message,
): void {
  const receiver = way === 'up' ? 'server' : 'client'
  if (connection?.open && connection[receiver]) connection[way].push(message)
}

/** Ends a call for its caller, which must be the only time. */
export function end({ state }: Turn, call: Call, how: Call['phase']): void {
  if (hasEnded(call)) state.record.endedTwice = true
  call.phase = how
}
