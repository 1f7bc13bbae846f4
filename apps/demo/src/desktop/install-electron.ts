import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * Runs the electron package's own installer, which downloads the program, checks its hash and unpacks
 * it.
 *
 * @param installer the script: {@link MissingElectron.installer}.
 * @returns why it failed, in one line; undefined where it did not.
 */
export async function installElectron(
  installer: string,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const child = spawn(process.execPath, [installer], {
    env: usingProxy(env),
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
  })
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return code === 0 ? undefined : reasonIn(output)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The installer uses a proxy only where it is told to, besides the usual variables. */
function usingProxy(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy']
  return names.some((name) => env[name]) ? { ELECTRON_GET_USE_PROXY: '1', ...env } : env
}

/** The first line that is an error's, without the stack. */
function reasonIn(output: string): string {
  const lines = output.split('\n').map((line) => line.trim())
  const line = lines.find((one) => /^(\w+)?Error\b/.test(one)) ?? lines.find(Boolean)
  return line?.replace(/^(\w+)?Error( \[\w+\])?: /, '') ?? 'its installer said nothing'
}
