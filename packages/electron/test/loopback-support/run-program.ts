import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Runs a program of this folder in a process of its own, to its end. */
export async function runProgram(name: string, env: Readonly<Record<string, string>> = {}) {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const child = fork(fileURLToPath(new URL(name, import.meta.url)), {
    env: { ...process.env, ...env },
    execArgv: ['--import', tsx, '--conditions', '@flashrpc/source'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const messages: unknown[] = []
  child.on('message', (message) => messages.push(message))
  try {
    const [exitCode] = (await once(child, 'exit')) as [number | null]
    return { exitCode, messages }
  } finally {
    child.kill('SIGKILL')
  }
}
