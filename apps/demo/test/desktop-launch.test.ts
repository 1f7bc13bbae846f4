import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findElectron } from '../src/desktop/electron-binary.ts'
import { buildDemo } from './support/build.ts'
import { runDesktop } from './support/demo.ts'
import type { Program } from './support/program.ts'

/** Nobody listens there: a download ends at once. */
const NO_MIRROR = 'http://127.0.0.1:9/'

let folder: string
let running: Program[]

beforeAll(() => buildDemo(), 180_000)

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flashrpc-launch-'))
  running = []
})

afterEach(async () => {
  await Promise.all(running.map((program) => program[Symbol.asyncDispose]()))
  await rm(folder, { recursive: true })
})

function launch(args: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
  const program = runDesktop(args, { ELECTRON_MIRROR: NO_MIRROR, ...env })
  running.push(program)
  return program
}

/** A program that stands for Electron: it prints how it was started. */
async function standIn(first = ''): Promise<string> {
  const path = join(folder, 'electron')
  const script = `#!${process.execPath}
${first}
console.log(JSON.stringify({ args: process.argv.slice(2), asNode: process.env.ELECTRON_RUN_AS_NODE }))
`
  await writeFile(path, script, { mode: 0o755 })
  return path
}

/** Nothing is shown there: what is started only stands for Electron. */
const DISPLAY = { DISPLAY: ':99' }

describe('the command demo:desktop', () => {
  test.each([
    [['--nope'], /^✖ Unknown option '--nope'. See --help.$/],
    [['one', 'two'], /^✖ Name one folder, or none/],
    [['/no/such/folder'], /^✖ There is no folder \/no\/such\/folder: name one that exists/],
  ])('says what is wrong with %j', async (args, message) => {
    const program = launch(args)
    expect(await program.ended).toBe(1)
    expect(program.output().trim()).toMatch(message)
    expect(program.output().trim().split('\n')).toHaveLength(1)
  })

  test('explains itself', async () => {
    const program = launch(['--help'])
    expect(await program.ended).toBe(0)
    expect(program.output()).toContain('demo:desktop [FOLDER]')
  })

  test.each(['FLASHRPC_ELECTRON_PATH', 'ELECTRON_OVERRIDE_DIST_PATH'])(
    'says that %s leads nowhere, and downloads nothing',
    async (name) => {
      const program = launch([], { [name]: join(folder, 'missing') })
      expect(await program.ended).toBe(1)
      expect(program.output()).toContain(`✖ ${name} names ${join(folder, 'missing')}`)
      expect(program.output()).toContain('or unset it')
      expect(program.output()).not.toContain('Downloading')
    },
  )

  test.skipIf('path' in findElectron({}))(
    'says that it downloads Electron, and what to do where it can’t',
    async () => {
      const program = launch([], { electron_config_cache: folder })
      expect(await program.ended).toBe(1)
      const output = program.output()
      expect(output).toMatch(
        /^⚡ Electron [\d.]+ has not been downloaded yet. Downloading it: once, about \d+ MB/,
      )
      expect(output).toContain('✖ Electron could not be downloaded: fetch failed')
      for (const remedy of [
        'FLASHRPC_ELECTRON_PATH',
        'HTTPS_PROXY',
        'ELECTRON_MIRROR',
        'pnpm@12 demo',
      ]) {
        expect(output).toContain(remedy)
      }
      expect(output).not.toMatch(/^\s+at /m)
    },
  )

  test.runIf(process.platform === 'linux')('says that there is no display', async () => {
    const program = launch([], {
      FLASHRPC_ELECTRON_PATH: await standIn(),
      DISPLAY: '',
      WAYLAND_DISPLAY: '',
    })
    expect(await program.ended).toBe(1)
    expect(program.output()).toMatch(/^✖ There is no display .*xvfb-run -a/)
  })

  test.skipIf(process.platform === 'win32')(
    'starts Electron with the app and the folder, never as a plain Node, and ends as it does',
    async () => {
      const program = launch([folder], {
        ...DISPLAY,
        FLASHRPC_ELECTRON_PATH: await standIn('process.exitCode = 7'),
        ELECTRON_RUN_AS_NODE: '1',
      })
      expect(await program.ended).toBe(7)
      const { args, asNode } = JSON.parse(program.output())
      expect(args[0]).toMatch(/demo[/\\]?$/)
      expect(args[1]).toMatch(/^--folder=.*flashrpc-launch-/)
      expect(asNode).toBeUndefined()
    },
  )

  test.skipIf(process.platform === 'win32')('says that Electron was ended, and how', async () => {
    const path = await standIn("process.kill(process.pid, 'SIGTRAP')")
    const program = launch([], { ...DISPLAY, FLASHRPC_ELECTRON_PATH: path })
    expect(await program.ended).toBe(1)
    expect(program.output()).toMatch(/✖ Electron was ended by SIGTRAP: /)
    expect(program.output()).not.toMatch(/^\s+at /m)
  })

  test.skipIf(process.platform === 'win32')('says that a program can’t be started', async () => {
    const path = join(folder, 'electron')
    await writeFile(path, 'no program', { mode: 0o644 })
    const program = launch([], { ...DISPLAY, FLASHRPC_ELECTRON_PATH: path })
    expect(await program.ended).toBe(1)
    expect(program.output()).toMatch(/^✖ .*electron could not be started: spawn .*EACCES/)
  })

  test.skipIf(process.platform === 'win32')('ends Electron when it is ended', async () => {
    const waiting = "process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1_000)"
    const program = launch([], { ...DISPLAY, FLASHRPC_ELECTRON_PATH: await standIn(waiting) })
    await program.prints(/args/)
    program.signal('SIGTERM')
    expect(await program.ended).toBe(0)
  })
})

describe('looking for Electron', () => {
  test('takes the program that is named', async () => {
    const path = await standIn()
    expect(findElectron({ FLASHRPC_ELECTRON_PATH: path })).toEqual({ path })
  })

  test('takes the one in the folder that is named', async () => {
    await standIn()
    const found = findElectron({ ELECTRON_OVERRIDE_DIST_PATH: folder })
    if (process.platform === 'linux') expect(found).toEqual({ path: join(folder, 'electron') })
  })
})
