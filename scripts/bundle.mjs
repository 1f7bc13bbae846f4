// Makes a package's JavaScript: one file for each of its entries, and chunks for what entries share.
//
// The entries are what `exports` and `imports` in the package.json lead to: `./dist/tabs.js` is made of `src/tabs.ts`.
// So that Node opens few files, all else is in these files, or in chunks in `dist/chunks`.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { rolldown } from 'rolldown'
import { transformSync } from 'rolldown/utils'
import { markPure } from './mark-pure.mjs'

/** Modules that stay files of their own, besides the entries, by the package's folder. */
const OWN_FILES = {
  // It runs before the package that it checks for is imported.
  core: ['wire/msgpack-globals'],
  // A page's module in an entry that servers load as well: 'use client' is said of whole files.
  react: ['query/use-rpc-invalidation'],
  // Processes begin with them.
  electron: ['testing/own-module', 'testing/app/app-entry', 'testing/main/utility-entry'],
  nats: [],
  redis: [],
  cli: ['main'],
  'create-flashrpc': ['main'],
}

/** The rooms of core that nearly every entry needs a part of: one chunk, and not one for each set of entries. */
const SHARED_ROOMS = /[\\/]src[\\/](base|errors|contract|logging|wire|transport)[\\/][^\\/]+$/
/** The rooms that each entry with clients or servers needs a part of, and those of features, likewise. */
const CALL_ROOMS = /[\\/]src[\\/](link|calls|channels)[\\/][^\\/]+$/
const FEATURE_ROOMS = /[\\/]src[\\/](features|presets)[\\/]/

/**
 * Bundles a package. It writes files that differ from what is there, and removes files that are no longer made.
 *
 * @param {string} folder the package's
 */
export async function bundle(folder) {
  const name = basename(folder)
  const src = join(folder, 'src')
  const dist = join(folder, 'dist')
  const sources = filesOf(src)
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const input = Object.fromEntries(
    [...entriesOf(manifest), ...OWN_FILES[name]].map((entry) => [entry, sourceOf(entry, sources)]),
  )
  const made = [...(await bundleModules(folder, input)), ...transpileCommonJs(src, sources)]
  // Not in `dist`, where another process that builds would take it for a file that is no longer made.
  const unfinished = join(folder, `.dist-${process.pid}`)
  for (const { file, content } of made) put(join(dist, file), content, unfinished)
  const declarations = sources.map((path) => path.replace(/\.(c?)tsx?$/, '.d.$1ts'))
  const known = new Set([
    ...made.map(({ file }) => file),
    ...declarations.flatMap((path) => [path, `${path}.map`]),
    // The compiler's: what it has done already.
    '.tsbuildinfo',
  ])
  for (const path of filesOf(dist)) if (!known.has(path)) rmSync(join(dist, path), { force: true })
}

/**
 * @param {{ exports: object, imports?: object }} manifest
 * @returns {Set<string>} paths in `dist`, without their extensions
 */
function entriesOf({ exports, imports = {} }) {
  const entries = [...targetsOf(exports), ...targetsOf(imports)].map(
    (target) => /^\.\/dist\/(.+)\.js$/.exec(target)?.[1],
  )
  return new Set(entries.filter((entry) => entry !== undefined))
}

/**
 * @param {string | object} value of `exports` or `imports`
 * @returns {string[]} what it leads to under all conditions
 */
function targetsOf(value) {
  return typeof value === 'string' ? [value] : Object.values(value).flatMap(targetsOf)
}

/**
 * @param {string} entry
 * @param {readonly string[]} sources
 */
function sourceOf(entry, sources) {
  const source = sources.find((path) => path === `${entry}.ts` || path === `${entry}.tsx`)
  if (!source) throw new Error(`dist/${entry}.js has no source: add src/${entry}.ts`)
  return join('src', source)
}

/**
 * @param {string} folder
 * @param {Record<string, string>} input
 * @returns {Promise<{ file: string, content: string }[]>}
 */
async function bundleModules(folder, input) {
  const build = await rolldown({
    cwd: folder,
    input,
    platform: 'neutral',
    // Dependencies, Node's modules, and what `imports` chooses by conditions. Helpers of the transformation are bundled.
    external: /^(?!@oxc-project\/runtime\/)[^./\0]/,
    preserveEntrySignatures: 'strict',
    tsconfig: join(folder, 'tsconfig.json'),
    transform: { target: 'es2022' },
    // Its warning depends on how busy the machine is, and every warning is an error here.
    checks: { bundlerTimings: false },
    plugins: [
      keepOwnFiles(folder, OWN_FILES[basename(folder)]),
      { name: 'mark-pure', renderChunk: (code) => markPure(code) },
    ],
    onLog(level, log, handle) {
      const isEntry = Object.values(input).some((path) => log.id?.endsWith(join(sep, path)))
      if (log.code === 'MODULE_LEVEL_DIRECTIVE' && isEntry) return
      // A warning is an error: nobody reads the output of a build that succeeds.
      handle(level === 'warn' ? 'error' : level, log)
    },
  })
  const { output } = await build.generate({
    dir: join(folder, 'dist'),
    format: 'esm',
    sourcemap: true,
    // They are in the package.
    sourcemapExcludeSources: true,
    entryFileNames: '[name].js',
    chunkFileNames: (chunk) => `chunks/${nameOf(chunk, join(folder, 'src'))}.js`,
    minifyInternalExports: false,
    // They are in the sources and the declarations, and Node would read them each time.
    comments: { legal: true, annotation: true, jsdoc: false },
    codeSplitting: {
      groups: [
        { name: 'shared', test: SHARED_ROOMS, minShareCount: 2 },
        { name: 'calls', test: CALL_ROOMS, minShareCount: 2 },
        { name: 'features', test: FEATURE_ROOMS, minShareCount: 2 },
      ],
    },
  })
  await build.close()
  return output.map((made) => ({
    file: made.fileName,
    content: made.type === 'chunk' ? made.code : String(made.source),
  }))
}

/**
 * Modules that stay files of their own are imported, and not made a part of a chunk.
 *
 * @param {string} folder
 * @param {readonly string[]} names
 */
function keepOwnFiles(folder, names) {
  const src = join(folder, 'src')
  return {
    name: 'keep-own-files',
    resolveId(/** @type {string} */ source, /** @type {string | undefined} */ importer) {
      if (!importer || !source.startsWith('.')) return undefined
      const path = resolve(dirname(importer), source)
      const name = relative(src, path).split(sep).join('/').replace(/\.js$/, '')
      if (!names.includes(name)) return undefined
      return { id: join(folder, 'dist', `${name}.js`), external: 'relative' }
    },
  }
}

/**
 * @param {{ facadeModuleId?: string, moduleIds: readonly string[] }} chunk
 * @param {string} src
 * @returns {string} the name of the module that is imported when it is needed, or that is alone in the chunk; otherwise the
 *   folder in `src` that most of the modules are in
 */
function nameOf({ facadeModuleId, moduleIds }, src) {
  const only = facadeModuleId ?? (moduleIds.length === 1 ? moduleIds[0] : undefined)
  if (only) return basename(only).replace(/\.tsx?$/, '')
  const paths = moduleIds.map((path) => relative(src, path).split(sep))
  const counts = new Map()
  for (const [room = ''] of paths.filter((path) => path.length > 1)) {
    counts.set(room, (counts.get(room) ?? 0) + 1)
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a)
  return most?.[0] ?? 'shared'
}

/**
 * CommonJS is for where nothing else is taken: each such file is transpiled as it is.
 *
 * @param {string} src
 * @param {readonly string[]} sources
 */
function transpileCommonJs(src, sources) {
  return sources
    .filter((path) => path.endsWith('.cts'))
    .flatMap((path) => {
      const file = path.replace(/\.cts$/, '.cjs')
      const { code, map, errors } = transformSync(path, readFileSync(join(src, path), 'utf8'), {
        lang: 'ts',
        sourceType: 'commonjs',
        target: 'es2022',
        sourcemap: true,
      })
      if (errors.length > 0) throw new Error(`${path}: ${errors.map(String).join('\n')}`)
      const up = '../'.repeat(path.split('/').length)
      const { sourcesContent: _, ...rest } = { ...map, sources: [`${up}src/${path}`] }
      return [
        { file, content: `${code}//# sourceMappingURL=${basename(file)}.map\n` },
        { file: `${file}.map`, content: JSON.stringify({ ...rest, file: basename(file) }) },
      ]
    })
}

/**
 * @param {string} folder
 * @returns {string[]} the paths of its files in it, with slashes
 */
function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
}

/**
 * Replaces a file at once as a whole, if it differs.
 *
 * @param {string} file
 * @param {string} content
 * @param {string} unfinished where it is written first
 */
function put(file, content, unfinished) {
  try {
    if (readFileSync(file, 'utf8') === content) return
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(unfinished, content)
  renameSync(unfinished, file)
}
