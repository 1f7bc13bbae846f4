import type { FileName } from './files.ts'

/** How a line is shown. */
export type Level = 'log' | 'warn' | 'error'

/** The first message to a program's worker. The two ports go along. */
export interface StartMessage {
  /** The program, and the contract that it imports, as JavaScript. */
  readonly modules: readonly { readonly name: FileName; readonly code: string }[]
  /** Leads to the other program. */
  readonly peer: MessagePort
  /** Leads to the page. */
  readonly page: MessagePort
}

/** What a program's worker tells the page. */
export type ProgramMessage =
  | { readonly type: 'line'; readonly level: Level; readonly text: string }
  /** The answer to `alive?`. The first one comes before the program begins. */
  | { readonly type: 'alive' }

/** What the page tells a program's worker. */
export type PageMessage =
  | { readonly type: 'alive?' }
  /** As many lines are shown. A worker sends no more than `LINES_ON_THE_WAY` before it is told this. */
  | { readonly type: 'shown'; readonly lines: number }

/** The most lines that a worker sends before the page says that it has shown them: a loop that prints must not block the page. */
export const LINES_ON_THE_WAY = 500
