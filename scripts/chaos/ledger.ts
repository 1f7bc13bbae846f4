import { appendFileSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** How a call ended for its caller: its value, or the outcome that its error told. */
export type Ending = 'value' | 'not-sent' | 'not-received' | 'maybe-executed' | 'error'

/** A call that was run: where, in which session, and which of whose calls. */
export interface Run {
  readonly sid: string
  readonly caller: string
  readonly n: number
}

/** How a call ended: which of whose calls, and whether it was made while there was no connection. */
export interface Ended {
  readonly caller: string
  readonly n: number
  readonly ending: Ending
  readonly wasOffline: boolean
}

const RUNS = 'runs.txt'
const ENDS = 'ends.txt'

/**
 * What is written down by whoever runs a call, before it answers: one system call each, so that a
 * process which is killed has written all that it has answered.
 */
export class RunLedger {
  readonly #file: number

  constructor(folder: string) {
    this.#file = openSync(join(folder, RUNS), 'a')
  }

  write({ sid, caller, n }: Run): void {
    writeSync(this.#file, `${sid} ${caller} ${n}\n`)
  }
}

/** What is written down by whoever made a call, once it has ended; gathered, as callers are not killed. */
export class EndLedger {
  readonly #path: string
  #lines: string[] = []

  constructor(folder: string) {
    this.#path = join(folder, ENDS)
  }

  write({ caller, n, ending, wasOffline }: Ended): void {
    this.#lines.push(`${caller} ${n} ${ending} ${wasOffline ? 1 : 0}\n`)
    if (this.#lines.length >= 1_000) this.flush()
  }

  flush(): void {
    appendFileSync(this.#path, this.#lines.join(''))
    this.#lines = []
  }
}

export function readRuns(folder: string): Run[] {
  return linesOf(join(folder, RUNS)).map(([sid = '', caller = '', n]) => ({
    sid,
    caller,
    n: Number(n),
  }))
}

export function readEnds(folder: string): Ended[] {
  return linesOf(join(folder, ENDS)).map(([caller = '', n, ending, wasOffline]) => ({
    caller,
    n: Number(n),
    ending: ending as Ending,
    wasOffline: wasOffline === '1',
  }))
}

function linesOf(path: string): string[][] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return []
  }
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' '))
}
