import * as core from '@flashrpc/core'
import * as features from '@flashrpc/core/features'
import * as lite from '@flashrpc/core/lite'
import * as msgpack from '@flashrpc/core/msgpack'
import * as zod from 'zod'
import type { StartMessage } from './messages.ts'

/** What a program may import besides its contract. */
const PACKAGES: Readonly<Record<string, object>> = {
  '@flashrpc/core': core,
  '@flashrpc/core/features': features,
  '@flashrpc/core/lite': lite,
  '@flashrpc/core/msgpack': msgpack,
  zod,
}

/**
 * Runs the files of a program, the last of which is its main file, as modules with `await` at their top level.
 *
 * @param peer the port to the other program, which a program imports from `playground`.
 * @throws whatever the program throws.
 */
export async function runModules(
  modules: StartMessage['modules'],
  peer: MessagePort,
): Promise<void> {
  const loaded = new Map<string, object>(Object.entries(PACKAGES))
  loaded.set('playground', { port: peer })
  for (const { name, code } of modules) {
    const exports = {}
    const run = await load(name, code)
    await run((path) => required(path, loaded), exports)
    loaded.set(`./${name}`, exports)
  }
}

/** The addresses of modules that were loaded. An error of the syntax names these, and not the files. */
const files = new Map<string, string>()

/** The file that a module was made of, by the module's address. */
export function fileOf(address: string): string | undefined {
  return files.get(address)
}

type Module = (require: (path: string) => object, exports: object) => Promise<void>

/** The file stands in one function: its first line is the first line of the file, so that errors name the lines of the file. */
async function load(name: string, code: string): Promise<Module> {
  const module = `export default async (require, exports) => {${code}\n}\n//# sourceURL=${name}`
  const url = URL.createObjectURL(new Blob([module], { type: 'text/javascript' }))
  files.set(url, name)
  try {
    return ((await import(/* @vite-ignore */ url)) as { default: Module }).default
  } finally {
    URL.revokeObjectURL(url)
  }
}

function required(path: string, loaded: ReadonlyMap<string, object>): object {
  const module = loaded.get(path)
  if (!module) {
    throw new Error(
      `"${path}" cannot be imported here. A program may import: ${[...loaded.keys()].join(', ')}.`,
    )
  }
  // As in real modules, a name that is not exported is an error, and not `undefined`.
  return new Proxy(module, {
    get(target, name) {
      if (name === '__esModule') return true
      if (typeof name === 'symbol' || name === 'then' || name in target)
        return Reflect.get(target, name)
      const names = Object.keys(target).filter((key) => key !== '__esModule')
      const few = names.length < 10 ? ` It exports: ${names.join(', ')}.` : ''
      throw new SyntaxError(`"${path}" does not export "${name}".${few}`)
    },
  })
}
