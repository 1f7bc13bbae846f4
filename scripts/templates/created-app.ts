import { readdirSync } from 'node:fs'
import { Terminal } from '../terminal.ts'

/** How long a program may take to print what it has to, in ms. */
export const TIMEOUT_MS = 60_000

/** An app that was created from a template, installed and built. */
export class CreatedApp {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  /** Runs a command to its end. @returns what it printed. @throws {Error} with that, if it fails. */
  async run(command: string): Promise<string> {
    const terminal = this.open(command)
    await terminal.succeeds()
    return terminal.output
  }

  /** Starts a command, in a terminal of its own. */
  open(command: string): Terminal {
    return new Terminal(command, this.folder)
  }

  /** What is in its folder. */
  files(): string[] {
    return readdirSync(this.folder).sort()
  }
}

/** Waits until a program has printed a pattern. @returns its first group. */
export async function printed(terminal: Terminal, pattern: RegExp): Promise<string> {
  await terminal.prints(pattern, TIMEOUT_MS)
  return pattern.exec(terminal.output)?.[1] ?? ''
}
