import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** Starts Node with a program that starts another one, as a test does, and prints the other's process id. */
function startParent(child: string): ChildProcess {
  const flag = fileURLToPath(new URL('ends-with-parent.mjs', import.meta.url))
  const parent = `
    const { spawn } = require('node:child_process')
    const { pathToFileURL } = require('node:url')
    const flag = pathToFileURL(${JSON.stringify(flag)}).href + '?' + process.pid
    const args = ['--import', flag, '-e', ${JSON.stringify(child)}]
    spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
      .once('exit', (code) => console.log('ended with ' + code))
  `
  return spawn(process.execPath, ['-e', parent], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  const [chunk] = (await once(stdout as NonNullable<typeof stdout>, 'data')) as [Buffer]
  return String(chunk).trim()
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a program ends when the one that started it is killed', async () => {
  const parent = startParent('setInterval(() => {}, 1000); console.log(process.pid)')
  const pid = Number(await firstLine(parent))
  try {
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false)
  } finally {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  }
}, 30_000)

test('a program ends by itself, as do those that it forks', async () => {
  // The same program again, by the same flags: it is to live for as long as its parent may speak to it.
  const parent = startParent(`
    if (process.env.IS_FORKED) process.once('message', () => process.send('answer'))
    else {
      const { spawn } = require('node:child_process')
      const env = { ...process.env, IS_FORKED: '1' }
      const stdio = ['ignore', 'inherit', 'inherit', 'ipc']
      const forked = spawn(process.execPath, process.execArgv, { env, stdio })
      forked.once('message', (message) => console.log(message))
      setTimeout(() => forked.send('question'), 1000)
    }
  `)
  try {
    let printed = ''
    parent.stdout?.on('data', (chunk: Buffer) => (printed += String(chunk)))
    await once(parent, 'close')
    expect(printed).toBe('answer\nended with 0\n')
  } finally {
    parent.kill('SIGKILL')
  }
}, 30_000)
