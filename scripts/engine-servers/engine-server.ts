import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** How long a server may take until it listens, in ms. */
const START_MS = 20_000

/** Ends the servers of this process that run, if it ends without ending them. */
const running = new Set<() => void>()
process.on('exit', () => {
  for (const end of running) end()
})

/** What starts a server, and says where it listens. */
export interface ServerKind {
  /** The arguments of its program. */
  args(folder: string, port: number | undefined): Promise<string[]>
  /** Resolves to its port once it listens. */
  listening(folder: string, port: number | undefined, program: ChildProcess): Promise<number>
}

/**
 * A server of a messaging system that a test starts: with a folder of its own, on a port of its own of 127.0.0.1. It can be
 * killed and started again where it was.
 */
export class EngineServer implements AsyncDisposable {
  readonly #path: string
  readonly #kind: ServerKind
  readonly #folder: string
  #process: ChildProcess | undefined
  #port: number | undefined

  private constructor(path: string, kind: ServerKind, folder: string) {
    this.#path = path
    this.#kind = kind
    this.#folder = folder
  }

  static async start(path: string, kind: ServerKind): Promise<EngineServer> {
    const folder = await mkdtemp(join(tmpdir(), 'flashrpc-engine-'))
    const server = new EngineServer(path, kind, folder)
    try {
      await server.restart()
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
    return server
  }

  get port(): number {
    if (this.#port === undefined) throw new Error('The server was not started')
    return this.#port
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** `127.0.0.1:4222` */
  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Starts it again, on the same port and with the same folder. */
  async restart(): Promise<void> {
    if (this.#process) return
    const args = await this.#kind.args(this.#folder, this.#port)
    const child = spawn(this.#path, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: this.#folder })
    this.#process = child
    const end = () => {
      child.kill('SIGKILL')
      rmSync(this.#folder, { recursive: true, force: true })
    }
    running.add(end)
    child.once('exit', () => running.delete(end))
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-4_000)
      })
    }
    const failed = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`${this.#path} ended by ${code ?? signal} before it listened:\n${said}`)
    })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`${this.#path} does not listen:\n${said}`)),
        START_MS,
      )
    })
    failed.catch(() => {})
    try {
      const listening = this.#kind.listening(this.#folder, this.#port, child)
      this.#port = await Promise.race([listening, failed, late])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ends it at once, as a crash does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Asks it to end, as an operator does. */
  async terminate(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Stops the process, or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
}

/** Where a server's program is, or that there is none. */
export type FoundServer =
  | { readonly path: string; readonly missing?: undefined }
  | { readonly path?: undefined; readonly missing: string }

/**
 * Looks for a server's program: on the PATH, and where Debian puts servers.
 *
 * @param required the variable of the environment that is 1 where the program must be there, as in CI.
 * @throws {Error} if it is required and missing.
 */
export function findServer(name: string, required: string): FoundServer {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  for (const folder of folders.filter(Boolean)) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return { path }
    } catch {}
  }
  const missing = `${name} is not installed; on Debian: apt-get install ${name}`
  if (process.env[required] === '1') throw new Error(`${missing} (${required}=1)`)
  return { missing }
}
