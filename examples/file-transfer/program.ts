import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** One of the other programs of this folder, as a process of its own. */
export class Program {
  readonly #child: ChildProcess
  readonly #ended: Promise<number | null>
  /** What it has printed since the last match. */
  #output = ''
  #hasEnded = false
  #wake = (): void => {}

  /** Starts it. It shows its progress itself; what it prints is read here. */
  constructor(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
    const path = fileURLToPath(new URL(script, import.meta.url))
    this.#child = spawn(process.execPath, ['--import', 'tsx', path, ...args], {
      env: { ...process.env, ...env },
      // By the channel between the processes, a server learns that this one is gone.
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#output += chunk
      this.#wake()
    })
    this.#ended = once(this.#child, 'close').then(([code]) => {
      this.#hasEnded = true
      this.#wake()
      return code
    })
  }

  /** Resolves to the first group of a pattern, where it matches what is printed next. */
  async prints(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.#output)
      if (match) {
        this.#output = this.#output.slice(match.index + match[0].length)
        return match[1] ?? ''
      }
      if (this.#hasEnded) throw new Error(`It has ended, and has not printed ${pattern}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** Sends it a Ctrl-C. */
  interrupt(): void {
    this.#child.kill('SIGINT')
  }

  /** Resolves to its exit code when it has ended. */
  ended(): Promise<number | null> {
    return this.#ended
  }
}
