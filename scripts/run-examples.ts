import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { natsProgram, startNats } from './engine-servers/nats-server.ts'
import { findPython } from './python.ts'

/**
 * Runs every example as its README says, and holds what it prints against the README's last block:
 * its `main.ts`, or, where it has none, its `client.ts` beside its `server.ts` or `server.py`. Of one that is a page only, its
 * server has to start: its test looks at the page.
 */

const examples = join(dirname(fileURLToPath(import.meta.url)), '..', 'examples')
const TIMEOUT_MS = 60_000

for (const name of readdirSync(examples).sort()) {
  const skipped = await run(join(examples, name))
  console.log(`${name}: ${skipped ?? 'prints what its README says'}`)
}

/** @returns why it was not run, where it was not. */
async function run(folder: string): Promise<string | undefined> {
  if (existsSync(join(folder, 'main.ts'))) {
    await expectPromised(folder, start(folder, {}, 'main.ts'))
    return undefined
  }
  if (existsSync(join(folder, 'step-1'))) return 'has steps; guide-tutorial.test.ts runs them'
  if (needsNats(folder)) {
    if (natsProgram.missing !== undefined) return `SKIPPED. ${natsProgram.missing}`
    await using nats = await startNats()
    return await serve(folder, start(folder, { NATS_URL: nats.address }, 'server.ts'))
  }
  let server: ChildProcess
  if (existsSync(join(folder, 'server.py'))) {
    const python = await findPython(join(folder, 'requirements.txt'))
    if (python.missing !== undefined) return `SKIPPED. ${python.missing}`
    server = startProgram(folder, python.path, ['-B', 'server.py'])
  } else server = start(folder, {}, 'server.ts')
  return await serve(folder, server)
}

/** Whether it says in its package.json that it uses NATS. */
function needsNats(folder: string): boolean {
  return readFileSync(join(folder, 'package.json'), 'utf8').includes('"@flashrpc/nats"')
}

/** Runs its client, if it has one, against its server, which is ended. */
async function serve(folder: string, server: ChildProcess): Promise<string | undefined> {
  try {
    const url = await listening(server)
    if (!existsSync(join(folder, 'client.ts'))) return 'listens; its test looks at its page'
    await expectPromised(folder, start(folder, {}, 'client.ts', url))
    return undefined
  } finally {
    server.kill()
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
  }
}

async function expectPromised(folder: string, program: ChildProcess): Promise<void> {
  const [output, [code]] = await Promise.all([text(program), once(program, 'exit')])
  assert.equal(code, 0, `${folder} ended with ${code}`)
  assert.equal(output.trim(), promised(folder))
}

function start(folder: string, env: NodeJS.ProcessEnv, ...args: string[]): ChildProcess {
  return startProgram(folder, process.execPath, ['--import', 'tsx', ...args], env)
}

function startProgram(
  folder: string,
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
): ChildProcess {
  return spawn(program, args, {
    cwd: folder,
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: TIMEOUT_MS,
  })
}

async function listening(server: ChildProcess): Promise<string> {
  assert(server.stdout)
  for await (const line of createInterface(server.stdout)) {
    const url = /listening on (\S+)/.exec(line)?.[1]
    if (url) return url
  }
  throw new Error('The server ended before it listened')
}

async function text(child: ChildProcess): Promise<string> {
  assert(child.stdout)
  let all = ''
  for await (const chunk of child.stdout.setEncoding('utf8')) all += chunk
  return all
}

/** The README's last fenced block. */
function promised(folder: string): string {
  const blocks = [
    ...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/```text\n([^`]*)```/g),
  ]
  const last = blocks.at(-1)?.[1]
  assert(last, `The README of ${folder} shows no output`)
  return last.trim()
}
