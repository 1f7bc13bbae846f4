import { once } from 'node:events'
import { forkProgram } from '../fork-program.js'
import type { OtherProcess } from './describe-result-store.js'

/** Starts a program that opens a store, begins a call, and says so. */
export async function startOwner(program: URL, args: readonly string[]): Promise<OtherProcess> {
  const child = forkProgram(program, { args })
  const exited = once(child, 'exit')
  const begun = once(child, 'message')
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  const ended = exited.then(([code]) => {
    throw new Error(`The process ended by ${code} before it began a call`)
  })
  ended.catch(() => {})
  await Promise.race([begun, ended])
  return { kill }
}
