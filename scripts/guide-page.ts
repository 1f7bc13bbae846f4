import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { blocksOf } from './markdown-blocks.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** The named blocks of one page of the documentation as files of a folder of their own, where they can be run. */
export class GuidePage implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'flashrpc-guide-'))
  readonly #blocks = new Map<string, string>()

  /** @param path of the page, from the root of the repository. */
  constructor(path: string) {
    for (const { name, code } of blocksOf(readFileSync(join(root, path), 'utf8'))) {
      if (name !== undefined) this.#blocks.set(name, code)
    }
    writeFileSync(join(this.folder, 'package.json'), '{ "type": "module" }')
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'), 'junction')
  }

  /**
   * Writes a block to its file.
   *
   * @param replaced texts of the block, each with what stands in the file in its place, such as a port.
   * @throws {Error} if the page has no such block, or if the block has no such text.
   */
  write(name: string, replaced: Readonly<Record<string, string>> = {}, file = name): void {
    let code = this.#blocks.get(name)
    if (code === undefined) throw new Error(`The page has no block named ${name}`)
    for (const [text, replacement] of Object.entries(replaced)) {
      if (!code.includes(text)) throw new Error(`The block ${name} does not have "${text}"`)
      code = code.replaceAll(text, replacement)
    }
    writeFileSync(join(this.folder, file), code)
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }
}
