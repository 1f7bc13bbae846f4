import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** How a plain Node process runs one of this folder's modules. */
export interface OwnModule {
  readonly url: string
  readonly path: string
  /** Options of Node that go before everything else. */
  readonly execArgv: readonly string[]
}

/**
 * The path of a module of this folder, for a process of its own. The published package has it as JavaScript. In the
 * repository, in which tests run on the source, tsx compiles it.
 *
 * @param name - Its path relative to this folder, without its extension.
 */
export function ownModule(name: string): OwnModule {
  const isSource = import.meta.url.endsWith('.ts')
  const url = new URL(`./${name}${isSource ? '.ts' : '.js'}`, import.meta.url).href
  const path = fileURLToPath(url)
  if (!isSource) return { url, path, execArgv: [] }
  const tsx = createRequire(fileURLToPath(import.meta.url)).resolve('tsx')
  return {
    url,
    path,
    execArgv: ['--import', pathToFileURL(tsx).href, '--conditions=@flashrpc/source'],
  }
}
