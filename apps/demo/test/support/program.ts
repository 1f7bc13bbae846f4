import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** A program that the tests started, and what it has printed. */
export interface Program {
  readonly pid: number
  /** All that it printed so far, on both outputs. */
  readonly output: () => string
  /** Resolves to the first match in its output; rejects where it ends without one. */
  prints(pattern: RegExp): Promise<RegExpExecArray>
  /** Resolves to its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  signal(signal: NodeJS.Signals): void
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
    stdio: ['ignore', 'pipe', 'pipe'],
  })
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
          resolve(match)
        }
        listeners.add(look)
        look()
        void ended.then(() => {
          if (listeners.delete(look)) {
            reject(new Error(`${name} ended and has not printed ${pattern}:\n${output}`))
          }
        })
      })
    },
    signal: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
