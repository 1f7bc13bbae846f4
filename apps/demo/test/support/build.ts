import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startProgram } from './program.ts'

const DEMO = fileURLToPath(new URL('../..', import.meta.url))
const ROOT = join(DEMO, '../..')

/** What the last build was made of. */
const STAMP = join(DEMO, 'dist/built-of.txt')

/**
 * Builds the packages and the demo, as `demo` and `demo:desktop` do. Test files run at once and share
 * what is built: they build in turn, and what is built already stays as it is.
 */
export async function buildDemo(): Promise<void> {
  await mkdir(dirname(STAMP), { recursive: true })
  await using _turn = await takeTurn(join(DEMO, 'dist/building'))
  const require = createRequire(import.meta.url)
  const bin = (name: string, path: string) =>
    join(dirname(require.resolve(`${name}/package.json`)), path)
  const tsc = bin('typescript', 'bin/tsc')
  await succeed(join(ROOT, 'scripts/build.mjs'), [], ROOT)
  const sources = await describeSources()
  if ((await readFile(STAMP, 'utf8').catch(() => '')) === sources) return
  await Promise.all([
    succeed(bin('vite', 'bin/vite.js'), ['build', '--app', '--logLevel', 'warn'], DEMO),
    succeed(tsc, ['-p', 'tsconfig.server.json'], DEMO),
  ])
  await writeFile(STAMP, sources)
}

async function succeed(script: string, args: readonly string[], cwd: string): Promise<void> {
  const program = startProgram(script, args, cwd)
  const code = await program.ended
  if (code !== 0) throw new Error(`The build failed (${code}):\n${program.output()}`)
}

/** The files that the demo is built of, each with its size and when it was changed. */
async function describeSources(): Promise<string> {
  const folders = ['core', 'react', 'electron'].map((name) => join(ROOT, 'packages', name, 'dist'))
  const found = await Promise.all([...folders, join(DEMO, 'src')].map(describeFolder))
  const files = ['vite.config.ts', 'tsconfig.server.json', 'package.json'].map((name) =>
    describeFile(join(DEMO, name)),
  )
  return [...found.flat(), ...(await Promise.all(files))].join('\n')
}

async function describeFolder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.tsbuildinfo'))
    .map((entry) => join(entry.parentPath, entry.name))
  return Promise.all(paths.sort().map(describeFile))
}

async function describeFile(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path)
  return `${path} ${size} ${mtimeMs}`
}

/** Waits until nobody else builds. A turn whose process is gone is over. */
async function takeTurn(path: string): Promise<AsyncDisposable> {
  for (;;) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' })
      return { [Symbol.asyncDispose]: () => rm(path) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const owner = Number(await readFile(path, 'utf8').catch(() => ''))
    if (owner > 0 && !isRunning(owner)) await rm(path, { force: true })
    await wait(100)
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
