import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What npx runs. */
export const BIN = fileURLToPath(new URL('../../bin/flashrpc.js', import.meta.url))

/** How long one run may take, in ms. Far more than it takes. */
const PATIENCE_MS = 30_000

/** A command that runs. */
export class Cli implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams
  /** Resolves to its exit code, or to the signal that ended it, once its outputs are read to the end. */
  readonly ended: Promise<number | NodeJS.Signals>
  stdout = ''
  stderr = ''
  readonly #listeners = new Set<() => void>()

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [BIN, ...args], { timeout: PATIENCE_MS })
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      this.#heard()
    })
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      this.#heard()
    })
    this.child.stdin.on('error', () => {})
    this.ended = once(this.child, 'close').then(([code, signal]) => code ?? signal)
  }

  /** The lines of its stdout, each of them JSON. */
  get values(): unknown[] {
    return this.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  }

  /** Resolves when what it printed holds true; rejects where it ends without. */
  until(isTrue: (cli: this) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!isTrue(this)) return
        this.#listeners.delete(look)
        resolve()
      }
      this.#listeners.add(look)
      look()
      void this.ended.then((code) => {
        if (!this.#listeners.delete(look)) return
        reject(new Error(`It ended with ${code}:\n${this.stdout}\n${this.stderr}`))
      })
    })
  }

  #heard(): void {
    for (const listener of this.#listeners) listener()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL')
    await this.ended
  }
}

/** Runs a command to its end. */
export async function run(
  args: readonly string[],
  stdin = '',
): Promise<{ code: number | NodeJS.Signals; stdout: string; stderr: string }> {
  const cli = new Cli(args)
  cli.child.stdin.end(stdin)
  const code = await cli.ended
  return { code, stdout: cli.stdout, stderr: cli.stderr }
}
