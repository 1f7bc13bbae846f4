import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const folder = new URL('../python/', import.meta.url)

/** The packages that the programs there need. */
export const requirements = fileURLToPath(new URL('requirements.txt', folder))

/** The same program, with pydantic 1. */
export const requirementsWithPydantic1 = fileURLToPath(
  new URL('requirements-pydantic-1.txt', folder),
)

/** One of the programs in test/python, in a process of its own, which ends with this one. */
export class PythonProgram implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #exit: Promise<unknown>
  readonly #lines: AsyncIterator<string>
  #stderr = ''

  constructor(python: string, program: string, ...args: string[]) {
    const path = fileURLToPath(new URL(program, folder))
    // Its standard input stays open as long as this process lives.
    this.#process = spawn(python, ['-B', path, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#exit = once(this.#process, 'exit')
    const { stdout, stderr } = this.#process
    if (!stdout || !stderr) throw new Error('A piped process has these')
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.#lines = createInterface(stdout)[Symbol.asyncIterator]()
  }

  /** The next line it prints, as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: what came is compared as a whole, or read by name
  async next(): Promise<any> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`The program ended: ${this.#stderr}`)
    return JSON.parse(value)
  }

  /** Everything it wrote to its standard error. */
  get stderr(): string {
    return this.#stderr
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#exit
  }
}
