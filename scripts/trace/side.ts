import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

interface Options {
  /** Of the workspace whose build is traced. */
  readonly folder: string
  /** The folder of the scripts that are counted. */
  readonly covered: string
}

export interface ServerOptions extends Options {
  readonly hasSessions: boolean
}

export interface ClientOptions extends Options {
  readonly url: string
  readonly walk: 'call' | 'item' | 'resume'
}

/** A process that is one side of a walk, and does as it is asked, one thing after another. */
export class Side implements AsyncDisposable {
  readonly #child: ChildProcess

  /** @param file beside this one. */
  constructor(file: string, options: Options) {
    this.#child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(options)], {
      execArgv: ['--import', 'tsx'],
      // As applications run.
      env: { ...process.env, NODE_ENV: 'production' },
    })
  }

  /** @throws {Error} if the process ends instead; it has written why. */
  async ask<T>(command: string): Promise<T> {
    const ended = new AbortController()
    const { signal } = ended
    const answered = once(this.#child, 'message', { signal })
    const hasEnded = once(this.#child, 'exit', { signal })
    this.#child.send(command)
    try {
      const [value] = await Promise.race([
        answered,
        hasEnded.then(([code]): never => {
          throw new Error(`A side of the walk ended with ${code} when asked to ${command}`)
        }),
      ])
      return value.value as T
    } finally {
      ended.abort()
      await Promise.allSettled([answered, hasEnded])
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }
}

/** In such a process: what it was started with. */
export function optionsOf<T extends Options>(): T {
  return JSON.parse(process.argv[2] ?? '') as T
}

/** In such a process: does as it is asked, and ends with its parent, or of what a command throws. */
export function answerParent(commands: Readonly<Record<string, () => unknown>>): void {
  process.on('message', async (command: string) => {
    process.send?.({ value: await commands[command]?.() })
  })
  process.once('disconnect', () => process.exit())
}
