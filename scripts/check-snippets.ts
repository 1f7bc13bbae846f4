import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { blocksOf, blocksWithTheirs, type MarkdownBlock, packagesOf } from './markdown-blocks.ts'

/**
 * Type-checks every `ts` and `tsx` block of the documentation, as an application would: against the
 * built packages, with imports that Node, too, can resolve (`nodenext`).
 *
 * The blocks of one page are the files of one folder, so that they can import each other; a block's
 * file is named behind its language, as in "```ts contract.ts". A block without a name stands alone. A page may add files to
 * those of another page: see `blocksWithTheirs`. Components of Vue and Svelte have checkers of their own.
 */

/** Pages about a package that TypeScript knows as bundlers see it, and not as Node does. */
const FOR_BUNDLERS: ReadonlySet<string> = new Set(['docs/guide/reconnecting-websocket.md'])
const BUNDLER: ts.CompilerOptions = {
  module: ts.ModuleKind.Preserve,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
}

/** The checkers of components, by the languages of blocks: each is a program of the packages of that language. */
const CHECKERS: Readonly<Record<string, readonly string[]>> = {
  vue: ['vue-tsc', '--noEmit'],
  svelte: ['svelte-check', '--fail-on-warnings', '--tsconfig', './tsconfig.json'],
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const folder = join(root, 'node_modules', '.snippets')

const pages = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'],
  {
    cwd: root,
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter(Boolean)

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder)
writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
const nodeOptions = readOptions()
/** Declarations of packages and of the language: read once for all pages. */
const declarations = new Map<string, ts.SourceFile | undefined>()
let count = 0
for (const page of pages) {
  const own = blocksOf(readFileSync(join(root, page), 'utf8'))
  if (own.length > 0) check(page, blocksWithTheirs(join(root, page)))
  const components = blocksOf(readFileSync(join(root, page), 'utf8'), Object.keys(CHECKERS))
  if (components.length > 0) checkComponents(page, components)
  count += own.length + components.length
}
assert(count > 0, 'No snippet was found')
console.log(`${count} snippets type-check`)

/** The repository's own options, as far as an application has them. */
function readOptions(): ts.CompilerOptions {
  const { options, errors } = ts.parseJsonConfigFileContent(
    {
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: {
        customConditions: [],
        allowImportingTsExtensions: true,
        jsx: 'react-jsx',
        noEmit: true,
        types: ['node'],
        // Installed for the tests of a package only.
        paths: {
          '@nats-io/transport-node': [
            join(root, 'packages/nats/node_modules/@nats-io/transport-node/lib/mod.d.ts'),
          ],
          ioredis: [join(root, 'packages/redis/node_modules/ioredis/built/index.d.ts')],
          redis: [join(root, 'packages/redis/node_modules/redis/dist/index.d.ts')],
          electron: [join(root, 'packages/electron/node_modules/electron/electron.d.ts')],
          pino: [join(root, 'packages/core/node_modules/pino/pino.d.ts')],
          ws: [join(root, 'packages/core/node_modules/@types/ws/index.d.mts')],
          partysocket: [join(root, 'packages/core/node_modules/partysocket/index.d.ts')],
          'reconnecting-websocket': [
            join(
              root,
              'packages/core/node_modules/reconnecting-websocket/dist/reconnecting-websocket.d.ts',
            ),
          ],
        },
      },
      files: [],
    },
    ts.sys,
    folder,
  )
  // There are no files yet.
  const others = errors.filter(({ code }) => code !== 18_002)
  assert.equal(others.length, 0, describe(others))
  return options
}

/** One page is one program: another page may register another contract. */
function check(page: string, blocks: readonly MarkdownBlock[]): void {
  const program = join(folder, page.replaceAll(/[/.]/g, '-'))
  mkdirSync(program, { recursive: true })
  const packages = packagesOf(readFileSync(join(root, page), 'utf8'))
  if (packages) symlinkSync(packages, join(program, 'node_modules'), 'junction')
  assertFiles(page, blocks)
  const files = blocks.map(({ language, name, code }, index) => {
    const file = join(program, name ?? `block-${index + 1}.${language}`)
    // A block that neither imports nor exports is a module all the same.
    writeFileSync(file, `${code}\nexport {}\n`)
    return file
  })
  const options = FOR_BUNDLERS.has(page) ? { ...nodeOptions, ...BUNDLER } : nodeOptions
  const host = ts.createCompilerHost(options)
  const { getSourceFile } = host
  host.getSourceFile = (file, languageVersion, ...rest) => {
    if (file.startsWith(program)) return getSourceFile(file, languageVersion, ...rest)
    if (!declarations.has(file)) {
      declarations.set(file, getSourceFile(file, languageVersion, ...rest))
    }
    return declarations.get(file)
  }
  const problems = ts.getPreEmitDiagnostics(ts.createProgram(files, options, host))
  assert.equal(problems.length, 0, `${page}:\n${describe(problems)}`)
}

/** Checks the components of a page, in a folder of their own: svelte-check looks at no file below `node_modules`. */
function checkComponents(page: string, components: readonly MarkdownBlock[]): void {
  const program = mkdtempSync(join(tmpdir(), 'flashrpc-components-'))
  try {
    symlinkSync(join(root, 'node_modules'), join(program, 'node_modules'), 'junction')
    writeFileSync(join(program, 'package.json'), JSON.stringify({ type: 'module' }))
    for (const { name, code } of [...blocksWithTheirs(join(root, page)), ...components]) {
      if (name !== undefined) writeFileSync(join(program, name), code)
    }
    const compilerOptions = {
      module: 'preserve',
      moduleResolution: 'bundler',
      customConditions: [],
      allowImportingTsExtensions: true,
      noEmit: true,
      types: ['node'],
    }
    for (const language of new Set(components.map((component) => component.language))) {
      const config = {
        extends: join(root, 'tsconfig.base.json'),
        compilerOptions,
        include: [`*.${language}`],
      }
      writeFileSync(join(program, 'tsconfig.json'), JSON.stringify(config))
      const [checker = '', ...args] = CHECKERS[language] ?? []
      execFileSync(join(program, 'node_modules/.bin', checker), args, {
        cwd: program,
        stdio: 'inherit',
      })
    }
  } finally {
    rmSync(program, { recursive: true })
  }
}

/** Holds the files that blocks name, as in `./contract.ts`, against those of their page: TypeScript takes `.ts` for `.tsx`. */
function assertFiles(page: string, blocks: readonly MarkdownBlock[]): void {
  const names = new Set(blocks.map(({ name }) => name))
  for (const { code } of blocks) {
    for (const [, name] of code.matchAll(/'\.\/([^']+)'/g)) {
      assert(names.has(name), `${page} names ./${name}, and has no block of this name`)
    }
  }
}

function describe(problems: readonly ts.Diagnostic[]): string {
  return ts.formatDiagnostics(problems, {
    getCanonicalFileName: (file) => file,
    getCurrentDirectory: () => folder,
    getNewLine: () => '\n',
  })
}
