import assert from 'node:assert/strict'
import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

export type Core = typeof import('@flashrpc/core')
export type CoreServer = typeof import('@flashrpc/core/server')

type Entry = '@flashrpc/core' | '@flashrpc/core/server'

/** A build of flashrpc: this workspace's, or that of a workspace in another folder. */
export class Build {
  readonly #folder: string

  constructor(folder = join(import.meta.dirname, '..')) {
    this.#folder = resolve(folder)
  }

  /** @throws {Error} if it is not built. */
  assertBuilt(): void {
    this.entry('@flashrpc/core')
    this.entry('@flashrpc/core/server')
  }

  core(): Promise<Core> {
    return import(this.entry('@flashrpc/core'))
  }

  server(): Promise<CoreServer> {
    return import(this.entry('@flashrpc/core/server'))
  }

  /**
   * The URL of the file that programs get which import this entry of the package.
   *
   * @throws {Error} if it is not built.
   */
  entry(name: Entry): string {
    const core = join(this.#folder, 'packages', 'core')
    try {
      // A package finds itself by its own name; where there is none, one further up could be found.
      const file = createRequire(join(core, 'package.json')).resolve(name)
      assert(file.startsWith(realpathSync(core)))
      return pathToFileURL(file).href
    } catch (error) {
      throw new Error(
        `There is no built ${name} in ${this.#folder}, and only what is built is measured: run "pnpm run build" there`,
        { cause: error },
      )
    }
  }
}
