import type { Data, Message, Numbering } from './state.js'
import type { Turn } from './turn.js'

/** The counted frames of one side of a session: what the client and the server do alike. */

/** A side of a session, with the way out to the connection it has. */
export interface Sender {
  readonly numbering: Numbering
  readonly sid: number
  /** Said and never written. */
  readonly outbox: Data[]
  write(message: Message): void
  /** Called for each frame that is written for the first time. */
  numbered(frame: Data): void
  /** Whether a frame may be written now. */
  admits(frame: Data): boolean
}

/** Writes what waits, as far as the window goes: this is where a frame gets its number. */
export function flush({ scope, mistake }: Turn, sender: Sender): void {
  const { numbering, outbox, sid } = sender
  const waiting = outbox.splice(0)
  for (const frame of waiting) {
    if (numbering.kept.length >= scope.window || !sender.admits(frame)) {
      outbox.push(frame)
      continue
    }
    frame.number = ++numbering.sent
    frame.sid = sid
    sender.numbered(frame)
    if (mistake !== 'trimming on send') numbering.kept.push({ ...frame })
    sender.write({ ...frame })
  }
}

/** Continues over a new connection: what the other side lacks comes first, then what is new. */
export function goOn(turn: Turn, sender: Sender): void {
  const again = sender.numbering.kept.map((frame) => ({ ...frame }))
  if (turn.mistake === 'new frames before the replay') flush(turn, sender)
  for (const frame of again) sender.write(frame)
  if (again.length > 0) turn.note(`replays ${again.map((f) => `${f.kind} ${f.call}`).join(', ')}`)
  flush(turn, sender)
}

/**
 * The other side has dispatched all up to `recv`.
 *
 * @returns false where it can't have: it takes a number back, or names a frame that was never sent.
 */
export function trim({ state }: Turn, numbering: Numbering, recv: number): boolean {
  if (recv < numbering.trimmed || recv > numbering.sent) {
    state.record.outOfRange = true
    return false
  }
  numbering.trimmed = recv
  numbering.kept = numbering.kept.filter((frame) => frame.number > recv)
  return true
}

/** Takes a counted frame in: its number is its position. */
export function count({ state }: Turn, numbering: Numbering, sid: number, frame: Data): void {
  numbering.recv++
  if (frame.sid !== sid || frame.number !== numbering.recv) state.record.misplaced = true
}
