import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'

/** How long Ctrl-C may take, in ms. */
const END_MS = 10_000

/** A command that runs in a shell, as in a terminal of its own: Ctrl-C reaches all of its processes. */
export class Terminal implements AsyncDisposable {
  readonly #command: string
  readonly #shell: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #kill = () => this.#signal('SIGKILL')
  #output = ''
  #hasEnded = false

  constructor(command: string, cwd: string) {
    this.#command = command
    // In a process group of its own, as a terminal's command is. The first of several that fails ends them.
    this.#shell = spawn('sh', ['-ec', command], { cwd, detached: true, stdio: 'pipe' })
    // Not `exit`: what the shell has started may print for longer than the shell runs.
    this.#ended = once(this.#shell, 'close').then(() => {
      this.#hasEnded = true
    })
    for (const stream of [this.#shell.stdout, this.#shell.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.#output += chunk
      })
    }
    process.once('exit', this.#kill)
  }

  /** All that was printed so far, without colours. */
  get output(): string {
    return stripVTControlCharacters(this.#output)
  }

  /**
   * Waits until the output, without white space around it, matches.
   *
   * @throws {Error} with the output, if it does not within this time, or the command ends before.
   */
  async prints(pattern: RegExp, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs
    while (!pattern.test(this.output.trim())) {
      const why = this.#hasEnded
        ? `ended with ${this.#shell.exitCode ?? this.#shell.signalCode}`
        : performance.now() > deadline && `ran for ${timeoutMs} ms`
      if (why) {
        assert.fail(
          `"${this.#command}" ${why}, and has not printed ${pattern}, but:\n${this.output}`,
        )
      }
      await sleep(20)
    }
  }

  /**
   * Waits until the command has ended by itself.
   *
   * @throws {Error} with the output, if its exit code is not 0.
   */
  async succeeds(): Promise<void> {
    await this.#ended
    process.off('exit', this.#kill)
    const { exitCode } = this.#shell
    assert.equal(exitCode, 0, `"${this.#command}" ended with ${exitCode}:\n${this.output}`)
  }

  /** Ctrl-C. */
  interrupt(): void {
    this.#signal('SIGINT')
  }

  /** Ctrl-C; what has not ended 10 s later is killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal('SIGINT')
    // The timer does not keep this program alive when the command has ended.
    const late = sleep(END_MS, true, { ref: false })
    const isLate = await Promise.race([this.#ended.then(() => false), late])
    if (isLate) this.#kill()
    await this.#ended
    process.off('exit', this.#kill)
    assert(!isLate, `"${this.#command}" did not end within ${END_MS} ms of Ctrl-C`)
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#shell.pid === undefined) return
    try {
      process.kill(-this.#shell.pid, signal)
    } catch (error) {
      // All of them have ended.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
