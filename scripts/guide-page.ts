import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Program, startProgram } from '../apps/demo/test/support/program.ts'
import { blocksOf, blocksWithTheirs, packagesOf } from './markdown-blocks.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** The export condition by which the packages are their source. */
export const SOURCE = '@flashrpc/source'

/** How samples listen at a port that is written out. */
const LISTENS: readonly [RegExp, string][] = [
  [
    /^const \{ url \} = await endpoint\.listen\(\{ port: \d+(.*) \}\)/m,
    "const { url, port } = await endpoint.listen({ port: 0$1 })\nconsole.log('port', port)",
  ],
  [
    /^await endpoint\.listen\(\{ port: \d+(.*) \}\)/m,
    "console.log('port', (await endpoint.listen({ port: 0$1 })).port)",
  ],
  [
    /^server\.listen\(\d+, '127\.0\.0\.1'\)/m,
    "server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))",
  ],
  [
    /^await app\.listen\(\{ port: \d+ \}\)/m,
    "console.log('port', new URL(await app.listen({ port: 0 })).port)",
  ],
]

/**
 * The named blocks of pages of the documentation, and of the page whose files they add to, as files of a folder of their own,
 * where they are run in processes of their own.
 */
export class GuidePage implements AsyncDisposable {
  readonly folder: string
  readonly #temporary: string
  readonly #markdown: string
  readonly #blocks = new Map<string, string>()
  readonly #programs: Program[] = []

  /**
   * @param paths of the pages, from the root of the repository. The texts are those of the first.
   * @param parent of the folder. Default: where temporary files are.
   */
  constructor(paths: string | readonly string[], parent = tmpdir()) {
    this.#temporary = mkdtempSync(join(parent, 'flashrpc-guide-'))
    const files = [paths].flat().map((path) => join(root, path))
    const texts = files.map((file) => readFileSync(file, 'utf8'))
    this.#markdown = texts[0] ?? ''
    for (const { name, code } of files.flatMap((file) =>
      blocksWithTheirs(file, ['tsx?', 'c?js', 'html', 'vue', 'svelte']),
    )) {
      if (name !== undefined) this.#blocks.set(name, code)
    }
    this.folder = join(this.#temporary, 'app')
    mkdirSync(this.folder)
    writeFileSync(join(this.folder, 'package.json'), '{ "type": "module" }')
    const [packages = join(root, 'node_modules')] = texts.flatMap((text) => packagesOf(text) ?? [])
    symlinkSync(packages, join(this.folder, 'node_modules'), 'junction')
    // What only core's tests have, such as pino, is found one folder above.
    const more = join(root, 'packages/core/node_modules')
    symlinkSync(more, join(this.#temporary, 'node_modules'), 'junction')
  }

  /** The blocks that are files, by their names. */
  get blocks(): ReadonlyMap<string, string> {
    return this.#blocks
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

  /**
   * The first block in a language, such as `text`.
   *
   * @throws {Error} if the page has none.
   */
  text(language: string): string {
    const [block] = blocksOf(this.#markdown, [language])
    if (!block) throw new Error(`The page has no block of ${language}`)
    return block.code
  }

  /**
   * What follows the name of a program in the commands of the page, in all blocks of `sh`.
   *
   * @throws {Error} if the page has no such command.
   */
  commandsOf(program: string): string[] {
    const lines = blocksOf(this.#markdown, ['sh']).flatMap(({ code }) => code.split('\n'))
    const commands = lines.filter((line) => line.startsWith(`${program} `))
    if (commands.length === 0) throw new Error(`The page has no command of ${program}`)
    return commands.map((line) => line.slice(program.length + 1))
  }

  /** Starts a file as a program of Node, on the source of the packages. It is ended with the page. */
  run(file: string, ...args: string[]): Program {
    const program = startProgram(
      '--import',
      ['tsx', '--conditions', SOURCE, file, ...args],
      this.folder,
    )
    this.#programs.push(program)
    return program
  }

  /** Runs esbuild on the source of the packages. */
  esbuild(...args: string[]): void {
    const options = [`--conditions=${SOURCE}`, '--log-level=warning']
    const esbuild = join(this.#temporary, 'node_modules/.bin/esbuild')
    execFileSync(esbuild, [...args, ...options], { cwd: this.folder, stdio: 'inherit' })
  }

  /**
   * Writes a server to its file, and starts it on a free port in place of the one that is written there.
   *
   * @throws {Error} as {@link write}, or if the block does not listen at a port.
   */
  async serve(
    name: string,
    replaced: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly program: Program; readonly port: number }> {
    const code = this.#blocks.get(name) ?? ''
    const [listens, free] = LISTENS.find(([pattern]) => pattern.test(code)) ?? []
    const [text] = listens?.exec(code) ?? []
    if (!listens || free === undefined || text === undefined) {
      throw new Error(`The block ${name} does not listen at a port`)
    }
    this.write(name, { ...replaced, [text]: text.replace(listens, free) })
    const program = this.run(name)
    const [, port] = await program.prints(/^port (\d+)\n/m)
    return { program, port: Number(port) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((program) => program[Symbol.asyncDispose]()))
    rmSync(this.#temporary, { recursive: true })
  }
}
