import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url))

/** A process of a peer's, which does as it is asked. */
export class Program implements AsyncDisposable {
  readonly #child: ChildProcess
  #id = 0
  readonly #asked = new Map<number, { resolve(value: never): void; reject(error: Error): void }>()

  /**
   * @param core the one core that it may run on, where the system can hold it to one.
   * @param file its program.
   */
  constructor(peer: string, role: 'server' | 'client', core?: number, file = CHILD) {
    const node = [process.execPath, '--expose-gc', '--import', 'tsx', file, peer, role]
    const command =
      core === undefined || !canPin() ? node : ['taskset', '-c', String(core), ...node]
    const [program = '', ...args] = command
    this.#child = spawn(program, args, {
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // As the values are: bytes, Infinity.
      serialization: 'advanced',
    })
    this.#child.on('message', (told: { id: number; value?: unknown; error?: string }) => {
      const asked = this.#asked.get(told.id)
      this.#asked.delete(told.id)
      if (told.error === undefined) asked?.resolve(told.value as never)
      else asked?.reject(new Error(`${peer}, ${role}: ${told.error}`))
    })
    this.#child.once('exit', (code) => {
      const error = new Error(`${peer}, ${role}: ended with ${code}`)
      for (const { reject } of this.#asked.values()) reject(error)
    })
  }

  ask<T>(command: string, params: object = {}): Promise<T> {
    const id = ++this.#id
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      this.#child.send({ id, command, params })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }
}

/** Linux can hold a process to a core; elsewhere the system places it. */
export function canPin(): boolean {
  return process.platform === 'linux'
}
