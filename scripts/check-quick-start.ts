import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium as playwright } from 'playwright-core'
import { chromium } from './chromium.ts'
import { freePort } from './free-port.ts'
import { serveRegistry } from './local-registry.ts'
import { pack } from './pack.ts'
import { Terminal } from './terminal.ts'

/**
 * Follows the README's quick start from an empty folder, as a newcomer would: saves its files, runs its commands, each in a
 * terminal of its own, and holds what they print against what the README says. npm gets our packages, as built here, from a
 * registry of this process, and all others from its own.
 *
 * A block with a file's name behind its language is a file. An `sh` block without one is a command; the `text` block that
 * follows it is all that the command prints, with `…` for what differs from run to run.
 */

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const SECTION = /^## Write it\n([\s\S]*?)^## /m
const BLOCK = /^```(\w+)(?: +(\S+))?\n([\s\S]*?)^```$/gm
/** The ports that the README names: of the server, and of Vite. */
const PORTS = ['8000', '5173']
/** How long a program may take to print what it has to, in ms. */
const TIMEOUT_MS = 60_000
const NODE_24 = 'npx --yes node@24'

/** A command of the README, and what it prints. */
interface Command {
  readonly command: string
  /** Undefined if the README does not say: then it ends by itself. */
  readonly text: string | undefined
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
const folder = mkdtempSync(join(tmpdir(), 'flashrpc-quick-start-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

const begin = performance.now()
const { files, commands } = read(await withFreePorts(section()))
for (const [name, content] of files) writeFileSync(join(folder, name), content)
const install = commands.filter(({ text }) => text === undefined)
const [server, client, vite, ...others] = commands.filter(({ text }) => text !== undefined)
assert(install.length > 0 && server && client && vite, 'The README lacks a command')
assert.equal(others.length, 0, 'The README has a command that is not checked')

await installPackages()
say('installed by npm')
await checkTypes()
say('types: clean under nodenext')
await tryInNode(server.command)
say('in Node: prints what the README says')
// It is downloaded ahead: that takes as long as the network does.
await open(`${NODE_24} --version`).succeeds()
await tryInNode(await withNode24(server.command))
say('in Node 24, without tsx: the same')
await tryInBrowser()
say('in Chromium: a page of another origin calls and is called')

function say(what: string): void {
  console.log(`quick start, ${Math.round((performance.now() - begin) / 1_000)} s: ${what}`)
}

function section(): string {
  const markdown = readFileSync(join(root, 'README.md'), 'utf8')
  const found = SECTION.exec(markdown)?.[1]
  assert(found, 'The README has no quick start')
  return found
}

function read(markdown: string): { files: Map<string, string>; commands: Command[] } {
  const blocks = [...markdown.matchAll(BLOCK)].map(([, language, name, content = '']) => ({
    language,
    name,
    content,
  }))
  const named = blocks.filter(({ name }) => name !== undefined)
  const commands = blocks.flatMap(({ language, content }, index) => {
    const next = blocks[index + 1]
    const text = next?.language === 'text' ? next.content : undefined
    return language === 'sh' ? [{ command: content.trim(), text }] : []
  })
  return { files: new Map(named.map(({ name, content }) => [name as string, content])), commands }
}

/** Does what the README says of a port that is in use: writes another one wherever it stands. */
async function withFreePorts(markdown: string): Promise<string> {
  let result = markdown
  for (const port of PORTS) {
    assert(markdown.includes(port), `The README does not name port ${port}`)
    if (await isFree(Number(port))) continue
    const other = await freePort()
    result = result.replaceAll(port, String(other))
    console.log(`quick start: port ${port} is in use; ${other} takes its place`)
  }
  return result
}

async function isFree(port: number): Promise<boolean> {
  for (const host of ['127.0.0.1', '::1']) {
    const server = createServer()
    try {
      server.listen(port, host)
      await once(server, 'listening')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false
      // This machine has no IPv6.
      continue
    }
    server.close()
    await once(server, 'close')
  }
  return true
}

function open(command: string): Terminal {
  return new Terminal(command, folder)
}

async function installPackages(): Promise<void> {
  const tarballs = join(folder, '.tarballs')
  mkdirSync(tarballs)
  await using registry = await serveRegistry(['core', 'react'].map((name) => pack(name, tarballs)))
  writeFileSync(join(folder, '.npmrc'), `@flashrpc:registry=${registry.url}\naudit=false\n`)
  for (const { command } of install) await open(command).succeeds()
}

async function checkTypes(): Promise<void> {
  const config = readFileSync(join(folder, 'tsconfig.json'), 'utf8')
  assert.match(config, /"module": "nodenext"/)
  await open('npx tsc').succeeds()
}

/** The command, run by Node 24 itself. */
async function withNode24(command: string): Promise<string> {
  const own = command.replace('npx tsx', 'node')
  assert(section().includes(`\`${own}\``), `The README does not say "${own}"`)
  return own.replace('node', NODE_24)
}

async function tryInNode(serverCommand: string): Promise<void> {
  await using serving = open(serverCommand)
  await serving.prints(start(server), TIMEOUT_MS)
  await using calling = open(client?.command ?? '')
  await calling.prints(whole(client), TIMEOUT_MS)
  await serving.prints(whole(server), TIMEOUT_MS)
  // Nothing more has come meanwhile.
  await calling.prints(whole(client), 0)
}

async function tryInBrowser(): Promise<void> {
  await using serving = open(server?.command ?? '')
  await using bundling = open(vite?.command ?? '')
  await serving.prints(start(server), TIMEOUT_MS)
  await bundling.prints(whole(vite), TIMEOUT_MS)
  const address = /http:\S+/.exec(bundling.output)?.[0]
  assert(address, 'Vite prints no address')
  const browser = await playwright.launch(await chromium())
  const failures: string[] = []
  const questions: string[] = []
  try {
    const page = await browser.newPage()
    page.on('pageerror', (error) => failures.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error') failures.push(message.text())
    })
    page.on('dialog', (dialog) => {
      questions.push(dialog.message())
      void dialog.accept()
    })
    await page.goto(address)
    await page.getByText('connected. Welcome!').waitFor({ timeout: TIMEOUT_MS })
    await page.getByRole('button', { name: '5 + 10 =' }).click()
    await page.getByRole('button', { name: '5 + 10 = 15' }).waitFor({ timeout: TIMEOUT_MS })
    await serving.prints(whole(server), TIMEOUT_MS)
    assert.deepEqual(questions, ['Deploy?'])
    assert.deepEqual(failures, [])
  } catch (cause) {
    const page = failures.join('\n')
    throw new Error(`The page failed:\n${page}\nThe server printed:\n${serving.output}`, { cause })
  } finally {
    await browser.close()
  }
}

/** The first line of a command's text. */
function start(command: Command | undefined): RegExp {
  return pattern(command?.text?.trim().split('\n')[0] ?? '', '')
}

/** All of a command's text, and nothing besides. */
function whole(command: Command | undefined): RegExp {
  return pattern(command?.text?.trim() ?? '', '$')
}

function pattern(text: string, end: string): RegExp {
  const lines = text.split('\n').map((line) => {
    if (line.trim() === '…') return '[^]*'
    return line.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*')
  })
  return new RegExp(`^${lines.join('\n')}${end}`)
}
