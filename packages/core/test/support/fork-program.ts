import { type ChildProcess, fork } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

interface ForkOptions {
  readonly args?: readonly string[]
  /** Of Node, and of V8. */
  readonly flags?: readonly string[]
  readonly stderr?: 'inherit' | 'pipe'
}

/** Starts a process in TypeScript, of the sources as they are. Whoever starts it ends it. */
export function forkProgram(
  url: URL,
  { args = [], flags = [], stderr = 'inherit' }: ForkOptions = {},
): ChildProcess {
  return fork(fileURLToPath(url), args, {
    execArgv: [...flags, '--import', tsx, '--conditions', '@flashrpc/source'],
    stdio: ['ignore', 'ignore', stderr, 'ipc'],
  })
}
