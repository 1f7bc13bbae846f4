import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a child process tells. */
export type Told =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'progress'; readonly caller: string; readonly ended: number }
  | { readonly kind: 'state'; readonly connected: number; readonly resumed: number }
  | {
      readonly kind: 'measured'
      readonly heap: number
      readonly rss: number
      readonly channels: number
    }
  | {
      readonly kind: 'members'
      /** The names of the nodes that it knows to be up. */
      readonly nodes: readonly string[]
      /** The ids of the channels that are in the group. */
      readonly ids: readonly string[]
      /** How many nodes could not be asked. */
      readonly unreached: number
    }
  | { readonly kind: 'sessions'; readonly ids: readonly string[] }
  | {
      readonly kind: 'done'
      readonly made: Readonly<Record<string, number>>
      readonly leftovers: readonly string[]
    }

/** A process of a scenario. What it throws, and what it writes, is kept. */
export class Child {
  readonly #child: ChildProcess
  readonly #listeners = new Set<(told: Told) => void>()
  #errors = ''
  #ended = false

  /** @param file beside this one. @param options of the process, as JSON. */
  constructor(file: string, options: object) {
    const execArgv = ['--import', 'tsx', '--expose-gc']
    this.#child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(options)], {
      execArgv,
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    })
    this.#child.stderr?.on('data', (text) => {
      this.#errors += text
    })
    this.#child.on('message', (told) => {
      for (const listener of [...this.#listeners]) listener(told as Told)
    })
    // One that stands still does not see that its parent has ended.
    const end = () => this.#child.kill('SIGKILL')
    process.on('exit', end)
    this.#child.once('exit', () => {
      this.#ended = true
      process.off('exit', end)
    })
  }

  /** What it wrote to its standard error: nothing, where nothing was uncaught. */
  get errors(): string {
    return this.#errors
  }

  on(listener: (told: Told) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** The next that it tells of a kind. Rejects where it ends before. */
  next<K extends Told['kind']>(kind: K): Promise<Extract<Told, { kind: K }>> {
    return new Promise((resolve, reject) => {
      // What it told last may be read after its end.
      const onExit = () =>
        setTimeout(() => reject(new Error(`A process ended early. ${this.#errors}`)), 1_000).unref()
      const off = this.on((told) => {
        if (told.kind !== kind) return
        off()
        this.#child.off('exit', onExit)
        resolve(told as Extract<Told, { kind: K }>)
      })
      this.#child.once('exit', onExit)
    })
  }

  /** Tells it something. */
  send(message: string): void {
    if (!this.#ended) this.#child.send(message)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    if (this.#ended) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }

  /** Resolves when it has ended by itself. */
  async ended(): Promise<void> {
    if (!this.#ended) await once(this.#child, 'exit')
  }
}

/** In a child: its options. It ends with its parent. */
export function optionsOf<T>(): T {
  process.once('disconnect', () => process.exit())
  return JSON.parse(process.argv[2] ?? '{}') as T
}

/** In a child: tells its parent. */
export function tell(told: Told): void {
  // Between the parent's end and the own, nobody listens.
  if (process.connected) process.send?.(told)
}

/** In a child: what is still open that should not be. */
export function leftovers(): string[] {
  const own = new Set(['PipeWrap', 'Pipe', 'TTYWrap', 'FSReqCallback', 'Immediate'])
  return process.getActiveResourcesInfo().filter((name) => !own.has(name))
}
