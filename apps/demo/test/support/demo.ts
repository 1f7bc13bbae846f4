import { fileURLToPath } from 'node:url'
import { type Program, startProgram } from './program.ts'

const DEMO = fileURLToPath(new URL('../..', import.meta.url))

/** Runs the command `demo`. */
export function runDemo(...args: string[]): Program {
  return startProgram('dist/server/main.js', args, DEMO)
}

/** Runs the command `demo:desktop`. */
export function runDesktop(args: readonly string[], env: NodeJS.ProcessEnv): Program {
  // Not the Electron of whoever runs the tests.
  const plain = { FLASHRPC_ELECTRON_PATH: '', ELECTRON_OVERRIDE_DIST_PATH: '' }
  return startProgram('dist/desktop/launch.js', args, DEMO, { ...plain, ...env })
}

/** Runs the command `demo:ask`. */
export function runAsk(...args: string[]): Program {
  return startProgram('bin/ask.js', args, DEMO)
}

/** A demo that serves. */
export interface RunningDemo {
  readonly program: Program
  readonly address: string
  readonly port: string
}

/** Starts the demo and waits until it serves. */
export async function startDemo(folder: string, port = '0'): Promise<RunningDemo> {
  const program = runDemo(folder, '--port', port)
  const match = await program.prints(/(http:\/\/127\.0\.0\.1:(\d+)\/).*Ctrl\+C/s)
  return { program, address: match[1] ?? '', port: match[2] ?? '' }
}
