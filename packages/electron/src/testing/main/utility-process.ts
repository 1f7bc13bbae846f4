import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import type { Readable } from 'node:stream'
import type { ForkOptions } from 'electron'
import { ownModule } from '../own-module.js'
import { cloned, type MessagePortMain } from './message-port-main.js'
import { PortBridge } from './port-bridge.js'
import { throwOnUnplayed } from './unplayed.js'
import type { UtilityMessage } from './utility-messages.js'

/** Electron's UtilityProcess: a real process of Node, with a `process.parentPort`. */
export class UtilityProcess extends EventEmitter {
  readonly #child: ChildProcess
  readonly #bridge = new PortBridge((message) => this.#say(message), 'm')
  readonly #exited: Promise<void>
  #spawned = false
  #isGone = false
  readonly stdout: Readable | null
  readonly stderr: Readable | null

  constructor(modulePath: string, args: readonly string[], options: ForkOptions) {
    super()
    const { execArgv = [], env = process.env, cwd, stdio = 'inherit' } = options
    const [, stdout, stderr] = Array.isArray(stdio) ? stdio : [stdio, stdio, stdio]
    const entry = ownModule('main/utility-entry')
    const node = [...entry.execArgv, ...execArgv, '--import', entry.url]
    this.#child = spawn(process.execPath, [...node, modulePath, ...args], {
      cwd,
      env: { ...env, ELECTRON_RUN_AS_NODE: undefined },
      stdio: ['ignore', stdout as 'pipe', stderr as 'pipe', 'ipc'],
      serialization: 'advanced',
    })
    this.stdout = this.#child.stdout
    this.stderr = this.#child.stderr
    this.#exited = new Promise((resolve) => {
      const gone = (code: number) => {
        if (this.#isGone) return
        this.#isGone = true
        this.#bridge.close()
        this.emit('exit', code)
        resolve()
      }
      this.#child.once('exit', (code, signal) => gone(code ?? (signal ? 15 : 1)))
      this.#child.once('error', () => gone(1))
    })
    this.#child.once('spawn', () => {
      this.#spawned = true
      this.emit('spawn')
    })
    this.#child.on('message', (said) => this.#hear(said as UtilityMessage))
  }

  /** For the bench: ends the process, and waits until it has. */
  static async end(utility: UtilityProcess): Promise<void> {
    utility.#child.kill('SIGKILL')
    await utility.#exited
  }

  get pid(): number | undefined {
    return this.#spawned && !this.#isGone ? this.#child.pid : undefined
  }

  postMessage(message: unknown, transfer: MessagePortMain[] = []): void {
    const copy = cloned(message)
    this.#say({ type: 'message', message: copy, ports: this.#bridge.give(transfer) })
  }

  kill(): boolean {
    return !this.#isGone && this.#child.kill()
  }

  #say(message: UtilityMessage): void {
    // It fails if the process has gone since then. The event of its exit reports that.
    if (!this.#isGone && this.#child.connected) this.#child.send(message, () => {})
  }

  #hear(said: UtilityMessage): void {
    if (said.type === 'message') this.emit('message', said.message)
    else this.#bridge.receive(said)
  }
}

throwOnUnplayed(UtilityProcess, 'utilityProcess')
