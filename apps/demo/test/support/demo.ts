import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Program, startProgram } from './program.ts'

const DEMO = fileURLToPath(new URL('../..', import.meta.url))
const ROOT = join(DEMO, '../..')

/** Builds the packages and the demo, as `demo` does. */
export async function buildDemo(): Promise<void> {
  const require = createRequire(import.meta.url)
  const bin = (name: string, path: string) =>
    join(dirname(require.resolve(`${name}/package.json`)), path)
  const tsc = bin('typescript', 'bin/tsc')
  await succeed(startProgram(tsc, ['-b', 'packages/core', 'packages/react'], ROOT))
  await Promise.all([
    succeed(startProgram(bin('vite', 'bin/vite.js'), ['build', '--logLevel', 'warn'], DEMO)),
    succeed(startProgram(tsc, ['-p', 'tsconfig.server.json'], DEMO)),
  ])
}

async function succeed(program: Program): Promise<void> {
  const code = await program.ended
  if (code !== 0) throw new Error(`The build failed (${code}):\n${program.output()}`)
}

/** Runs the command `demo`. */
export function runDemo(...args: string[]): Program {
  return startProgram('dist/server/main.js', args, DEMO)
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
