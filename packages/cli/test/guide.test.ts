import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BIN } from './support/cli.js'

/** The guide's own commands, against the guide's own server. */
const root = fileURLToPath(new URL('../../..', import.meta.url))
const guide = await readFile(join(root, 'docs/guide/cli.md'), 'utf8')

/** The address in the guide. */
const WRITTEN = 'ws://127.0.0.1:8000/ws'

const examples = [...guide.matchAll(/^```console\n([\s\S]*?)^```$/gm)]
  .flatMap(([, block = '']) => block.split(/^\$ /m).slice(1))
  .map((example) => {
    const [command = '', ...output] = example.trimEnd().split('\n')
    return [command, output.join('\n')] as const
  })

let url: string
let end: () => Promise<void>

beforeAll(async () => {
  const [, code = ''] = /^```ts server\.ts\n([\s\S]*?)^```$/m.exec(guide) ?? []
  // In the package, where its imports lead somewhere; there, no manifest says that it is a module.
  const folder = await mkdtemp(fileURLToPath(new URL('../node_modules/.guide-', import.meta.url)))
  const file = join(folder, 'server.mts')
  await writeFile(file, code)
  const env = { ...process.env, PORT: '0' }
  const endsWithParent = new URL('../../../scripts/ends-with-parent.mjs', import.meta.url).href
  const flags = ['--import', `${endsWithParent}?${process.pid}`, '--import', 'tsx']
  const server = spawn(process.execPath, [...flags, file], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  end = async () => {
    server.kill()
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
    await rm(folder, { recursive: true, force: true })
  }
  const { stdout } = server
  if (!stdout) throw new Error("The guide's server has no output")
  for await (const line of createInterface(stdout)) {
    const listening = /^listening on (\S+)$/.exec(line)?.[1]
    if (!listening) continue
    url = listening
    stdout.resume()
    return
  }
  throw new Error("The guide's server ended before it listened")
})

afterAll(() => end())

test('the guide has examples', () => {
  expect(examples.length).toBeGreaterThan(8)
})

test.each(examples)('%s', async (command, promised) => {
  const line = command.replaceAll(WRITTEN, url).replaceAll('npx flashrpc', '"$NODE" "$BIN"')
  const env = { ...process.env, NODE: process.execPath, BIN }
  const printed = await new Promise<string>((resolve, reject) => {
    execFile('bash', ['-c', `{ ${line}; } 2>&1`], { env, timeout: 30_000 }, (error, stdout) => {
      // A command of the guide may end with another code than 0, and prints why.
      if (error && typeof error.code !== 'number') reject(error)
      else resolve(stdout)
    })
  })
  // What differs each time is an ellipsis.
  const [head = '', ...parts] = promised.replaceAll(WRITTEN, url).split('…')
  const pattern = [head, ...parts].map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  expect(printed.trimEnd()).toMatch(new RegExp(`^${pattern.join('[\\d.]+')}$`))
})
