import assert from 'node:assert/strict'

/** What a page's bundler knows: of esbuild, as far as it is used here. */
export interface Bundler {
  build(options: object): Promise<{ outputFiles: readonly { contents: Uint8Array }[] }>
}

/** How much larger a bundle may be than one of the sources: names are shorter or longer by chance. */
const MARGIN = 1.01
const MARGIN_BYTES = 150

/** The application has these anyway. An import of one that is not used is left out, as an application's bundler does. */
const EXTERNAL = /^(react|react-dom|@tanstack\/react-query)(\/|$)/

const external = {
  name: 'external',
  setup(build: {
    onResolve(
      options: { filter: RegExp },
      resolve: (found: { path: string }) => { path: string; external: true; sideEffects: false },
    ): void
  }) {
    build.onResolve({ filter: EXTERNAL }, ({ path }) => ({
      path,
      external: true,
      sideEffects: false,
    }))
  },
}

/** An entry of a package that pages import, and its exports. */
export interface PageEntry {
  readonly name: string
  readonly exports: readonly string[]
}

/**
 * Bundles each export of some entries by itself, once from the published files and once from the sources that are published
 * beside them. A bundler leaves out modules that nobody uses; it must leave out as much where many modules are one file.
 *
 * @param folder where the packages are installed.
 * @throws {AssertionError} naming the exports that bring more along than they need.
 */
export async function checkTreeShaking(
  folder: string,
  bundler: Bundler,
  entries: readonly PageEntry[],
): Promise<void> {
  const tooLarge: string[] = []
  let count = 0
  for (const { name: entry, exports } of entries) {
    for (const name of exports) {
      const program = `import { ${name} } from '${entry}'; globalThis.used = ${name}`
      const published = await sizeOf(bundler, folder, program, [])
      const ofSources = await sizeOf(bundler, folder, program, ['@flashrpc/source'])
      count++
      if (published <= ofSources * MARGIN + MARGIN_BYTES) continue
      tooLarge.push(`${name} of ${entry}: ${published} bytes, and ${ofSources} of its sources`)
    }
  }
  assert.deepEqual(tooLarge, [], 'bundles have more of the published files than of the sources')
  console.log(`an application's bundle has only what it uses: ${count} exports, each by itself`)
}

async function sizeOf(
  { build }: Bundler,
  folder: string,
  program: string,
  conditions: readonly string[],
): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: folder },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    conditions: [...conditions, 'module'],
    plugins: [external],
    write: false,
    logLevel: 'silent',
  })
  return outputFiles[0]?.contents.length ?? 0
}
