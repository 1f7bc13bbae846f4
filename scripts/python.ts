import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** How long an installation may take, in ms. */
const INSTALL_TIMEOUT_MS = 300_000

/** An interpreter, or why there is none. */
export type FoundPython =
  | { readonly path: string; readonly missing?: undefined }
  | { readonly path?: undefined; readonly missing: string }

/**
 * A Python with the packages of a requirements.txt: that of `FLASHRPC_PYTHON`, which has them already,
 * or one of a virtual environment, made once in the system's folder for temporary files.
 *
 * @throws {Error} where there is none and `FLASHRPC_REQUIRE_PYTHON` is 1, as in CI.
 */
export async function findPython(requirements: string): Promise<FoundPython> {
  const given = process.env.FLASHRPC_PYTHON
  try {
    return { path: given ? await checked(given) : await environment(requirements) }
  } catch (error) {
    const missing = error instanceof Error ? error.message : String(error)
    if (process.env.FLASHRPC_REQUIRE_PYTHON === '1') throw new Error(missing, { cause: error })
    return { missing }
  }
}

async function checked(given: string): Promise<string> {
  const what = `FLASHRPC_PYTHON, ${given}, can't be used: it needs fastapi_websocket_rpc and uvicorn`
  await step(what, given, ['-c', 'import fastapi_websocket_rpc, uvicorn'])
  return given
}

async function environment(requirements: string): Promise<string> {
  const system = process.platform === 'win32' ? 'python' : 'python3'
  const { stdout: version } = await step(
    'There is no Python 3: install it, or name one in FLASHRPC_PYTHON',
    system,
    ['-c', 'import sys; print(sys.version); assert sys.version_info >= (3, 10)'],
  )
  const pinned = readFileSync(requirements, 'utf8').replaceAll(/^\s*(#.*)?$\n/gm, '')
  const hash = createHash('sha256').update(version).update(pinned)
  const folder = join(tmpdir(), `flashrpc-python-${hash.digest('hex').slice(0, 16)}`)
  const isWindows = process.platform === 'win32'
  const inFolder = isWindows ? join('Scripts', 'python.exe') : join('bin', 'python')
  if (existsSync(folder)) return join(folder, inFolder)

  // Under another name until it is whole: others may look for it meanwhile.
  const unfinished = mkdtempSync(`${folder}-`)
  try {
    const python = join(unfinished, inFolder)
    await step('python3 -m venv failed: on Debian, install python3-venv', system, [
      '-m',
      'venv',
      unfinished,
    ])
    const options = ['--quiet', '--disable-pip-version-check', '--no-input']
    const what = `pip could not install ${basename(dirname(requirements))}/requirements.txt`
    await step(what, python, ['-m', 'pip', 'install', ...options, '-r', requirements])
    renameSync(unfinished, folder)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    // Somebody else was faster.
    if (!existsSync(folder)) throw error
  }
  return join(folder, inFolder)
}

/** @throws {Error} with the remedy first, then the last line of what the program said. */
async function step(remedy: string, program: string, args: string[]): Promise<{ stdout: string }> {
  try {
    return await run(program, args, { timeout: INSTALL_TIMEOUT_MS })
  } catch (cause) {
    const { stderr = '', message } = cause as Error & { stderr?: string }
    const said = stderr.trim().split('\n').at(-1) || message
    throw new Error(`${remedy} (${said})`, { cause })
  }
}
