import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** A program that the tests started, and what it has printed. */
export interface Program {
  readonly pid: number
  /** All that it printed so far, on both outputs. */
  readonly output: () => string
  /** Resolves to the first match in its output; rejects if it ends without one, or has printed none 30 s later. */
  prints(pattern: RegExp): Promise<RegExpExecArray>
  /** Resolves to its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  signal(signal: NodeJS.Signals): void
  /** Types a line. */
  type(line: string): void
  /** Ends it, where it has not ended. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts a Node program. Its environment is that of a plain terminal, and what is added to it. */
export function startProgram(
  script: string,
  args: readonly string[],
  cwd: string,
  added: NodeJS.ProcessEnv = {},
): Program {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1', ...added }
  // The test runner's NODE_ENV would make a build for development.
  for (const name of ['INIT_CWD', 'PORT', 'FORCE_COLOR', 'NODE_ENV']) delete env[name]
  const child = spawn(process.execPath, [script, ...args], {
    cwd,
    env,
    stdio: 'pipe',
  })
  // A program that has ended reads nothing more.
  child.stdin.on('error', () => {})
  return watchProgram(child, script)
}

function watchProgram(child: ChildProcess, name: string): Program {
  let output = ''
  const listeners = new Set<() => void>()
  const hear = (chunk: unknown): void => {
    output += String(chunk)
    for (const listener of listeners) listener()
  }
  child.stdout?.on('data', hear)
  child.stderr?.on('data', hear)
  // Its output may be read to the end a little after it ended.
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number)
  return {
    pid: child.pid ?? 0,
    output: () => output,
    ended,
    prints(pattern) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(output)
          if (!match) return
          listeners.delete(look)
          clearTimeout(timer)
          resolve(match)
        }
        const fail = (what: string): void => {
          clearTimeout(timer)
          if (!listeners.delete(look)) return
          reject(new Error(`${name} ${what} and has not printed ${pattern}:\n${output}`))
        }
        const timer = setTimeout(() => fail('has run for 30 s'), 30_000)
        listeners.add(look)
        look()
        void ended.then(() => fail('ended'))
      })
    },
    signal: (signal) => void child.kill(signal),
    type: (line) => void child.stdin?.write(`${line}\n`),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
