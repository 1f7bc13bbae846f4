import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { MAX_TIMER_MS } from '@flashrpc/core/internal'
import { ElectronBenchError } from '../bench-errors.js'
import { ownModule } from '../own-module.js'
import type { AppStart, FromApp, ToApp } from './app-messages.js'

/** How much of the output is kept for messages, in characters. */
const OUTPUT_KEPT = 20_000

/** How long an app that could not start may take to end, in ms. */
const LAST_WORDS_MS = 2_000

interface Evaluation {
  resolve(value: unknown): void
  reject(error: Error): void
}

/** Events: `window` with the id of a page, and whether it is there; `exit`. */
export class AppProcess extends EventEmitter {
  readonly child: ChildProcess
  readonly #exited: Promise<void>
  /** Rejects if the main file fails, or the app ends. */
  readonly failed: Promise<never>
  readonly #started: Promise<string>
  #start: (endpoint: string) => void = () => {}
  #fail: (error: Error) => void = () => {}
  readonly #evaluations = new Map<number, Evaluation>()
  #lastId = 0
  #chromiumPid: number | undefined
  /** Why the app could not start. */
  #cause: unknown
  #output = ''

  constructor(nodeArgs: readonly string[], env: NodeJS.ProcessEnv, cwd: string | undefined) {
    super()
    this.#started = new Promise((resolve) => {
      this.#start = resolve
    })
    this.failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.failed.catch(() => {})
    const entry = ownModule('app/app-entry')
    this.child = spawn(process.execPath, [...entry.execArgv, ...nodeArgs, entry.path], {
      env: { ...env, ELECTRON_RUN_AS_NODE: undefined },
      cwd,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
      // A group of its own, with its utility processes: none of them outlives it.
      detached: process.platform !== 'win32',
    })
    this.child.once('exit', () => endGroup(this.child.pid))
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.#output = (this.#output + chunk).slice(-OUTPUT_KEPT)
      })
    }
    this.child.on('message', (message) => this.#hear(message as FromApp))
    this.#exited = new Promise((resolve) => {
      const gone = () => {
        for (const { reject } of this.#evaluations.values()) reject(this.error('The app has ended'))
        this.#evaluations.clear()
        this.#giveUp()
        this.emit('exit')
        resolve()
      }
      // Not `exit`: what it wrote last is read too.
      this.child.once('close', gone)
      this.child.once('error', gone)
    })
  }

  /** The last output of the app. */
  get output(): string {
    return this.#output
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  /** Starts the app; resolves with the address for Playwright. */
  start(message: AppStart): Promise<string> {
    this.#say(message)
    return Promise.race([this.failed, this.#started])
  }

  evaluate(source: string, argument: unknown, targetId?: string): Promise<unknown> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      if (this.hasEnded) throw this.error('The app has ended')
      this.#evaluations.set(id, { resolve, reject })
      this.#say({ type: 'evaluate', id, source, argument, targetId })
    })
  }

  /**
   * Lets the app quit, and ends one that does not; resolves once nothing of it is left.
   *
   * @param timeout - How long it may take, in ms.
   */
  async close(timeout: number): Promise<void> {
    if (!this.hasEnded && this.child.connected) this.#say({ type: 'quit' })
    const stop = new AbortController()
    const late = setTimeout(Math.min(timeout, MAX_TIMER_MS), undefined, stop).then(
      () => this.child.kill('SIGKILL'),
      () => {},
    )
    await this.#exited
    stop.abort()
    await late
    // The app's to end; one that a killed app left goes now.
    endGroup(this.#chromiumPid)
  }

  /** An error with what the app wrote. */
  error(message: string, cause?: unknown): ElectronBenchError {
    const why = (cause as { stack?: string } | undefined)?.stack ?? cause
    const parts = [message, why && String(why), this.#output && `It wrote:\n${this.#output}`]
    return new ElectronBenchError(parts.filter(Boolean).join('\n'))
  }

  #giveUp(): void {
    const what = this.#cause === undefined ? 'The app has ended' : 'The app could not start'
    this.#fail(this.error(what, this.#cause))
  }

  #say(message: ToApp): void {
    this.child.send(message, () => {})
  }

  #hear(message: FromApp): void {
    switch (message.type) {
      case 'window':
        this.emit('window', message.targetId, message.isThere)
        return
      case 'started':
        this.#chromiumPid = message.chromiumPid
        this.#start(message.endpoint)
        return
      case 'failed':
        this.#cause = message.error
        // Its output comes over another channel, and maybe later, so that a short time is given to it.
        void setTimeout(LAST_WORDS_MS, undefined, { ref: false }).then(() => this.#giveUp())
        return
      case 'answer':
      case 'failure': {
        const evaluation = this.#evaluations.get(message.id)
        this.#evaluations.delete(message.id)
        if (message.type === 'answer') evaluation?.resolve(message.value)
        else evaluation?.reject(asError(message.error))
        return
      }
    }
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch {
    // All of it has ended.
  }
}

function asError(said: unknown): Error {
  const { name, message, stack } = Object(said) as Partial<Error>
  const error = new Error(message ?? String(said))
  if (name !== undefined) error.name = name
  if (stack !== undefined) error.stack = stack
  return error
}
