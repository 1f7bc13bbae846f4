import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  Application,
  Converter,
  type DeclarationReflection,
  ReflectionKind,
  type TypeDocOptions,
} from 'typedoc'

/**
 * Writes the reference of every public entry of the packages to docs/api, as pages for the site. A warning fails: what a
 * public signature names is exported, and what is exported is documented.
 */

const root = fileURLToPath(new URL('../../../', import.meta.url))
const packages = join(root, 'packages')
const out = join(root, 'docs/api')
const SOURCE = '@flashrpc/source'

interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
}

/** The packages with something to import. */
const FOLDERS = readdirSync(packages).filter((folder) => {
  const file = join(packages, folder, 'package.json')
  return existsSync(file) && readFileSync(file, 'utf8').includes(SOURCE)
})

/** The public entries of a package: the path of each one's source, by the name that applications import. */
function entriesOf(folder: string): [name: string, source: string][] {
  const file = join(packages, folder, 'package.json')
  const { name, exports } = JSON.parse(readFileSync(file, 'utf8')) as Manifest
  return Object.entries(exports).flatMap(([path, target]): [string, string][] => {
    const source = typeof target === 'string' ? undefined : target[SOURCE]
    // An entry without a source has nothing to call: package.json, and the preload, which is imported for its effect.
    if (source === undefined || path === './internal') return []
    return [[name + path.slice(1), join(packages, folder, source)]]
  })
}

const entries = FOLDERS.flatMap(entriesOf)
/** Some of them are of plugins, whose types TypeDoc does not know. */
const options: Partial<TypeDocOptions> & Record<string, unknown> = {
  plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme'],
  tsconfig: fileURLToPath(new URL('tsconfig.json', import.meta.url)),
  entryPoints: entries.map(([, source]) => source),
  alwaysCreateEntryPointModule: true,
  skipErrorChecking: true, // The packages' own projects check their types.
  name: 'API',
  readme: 'none',
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  sort: ['kind', 'alphabetical'],
  packagesRequiringDocumentation: FOLDERS.map((folder) => `@flashrpc/${folder}`),
  validation: { notExported: false, invalidLink: true, notDocumented: true },
  // Conditional types match these parts of other types, which are documented there.
  intentionallyNotDocumented: [
    'HandlerParams.__type.kind',
    'HandlerParams.__type.params',
    'IdentityOf.__type.identity',
    'InputItem.__type.kind',
    'InputItem.__type.input',
    'ProgressValue.__type.kind',
    'ProgressValue.__type.progress',
  ].map((name) => `@flashrpc/core.${name}`),
  logLevel: 'Warn',
  out,
  docsRoot: join(root, 'docs'),
  hidePageHeader: true,
  hideBreadcrumbs: true,
  useCodeBlocks: true,
  expandParameters: true,
  pageTitleTemplates: { index: 'API reference', module: '{name}', member: '{name}' },
}
const app = await Application.bootstrapWithPlugins(options)

// TypeDoc names a module by the path of its file from packages/.
const names = new Map(
  entries.map(([name, source]) => [
    relative(packages, source).replace(/(\/index)?\.tsx?$/, ''),
    name,
  ]),
)
/** Applications only pass these on: their members are not part of the reference. */
const OPAQUE: ReadonlySet<string> = new Set(['ClientSocket', 'Feature', 'Share'])
app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
  for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
    module.name = names.get(module.name) ?? module.name
  }
  for (const { name, children } of project.getReflectionsByKind(
    ReflectionKind.Interface,
  ) as DeclarationReflection[]) {
    if (OPAQUE.has(name)) for (const child of [...(children ?? [])]) project.removeReflection(child)
  }
})

const project = await app.convert()
if (!project) throw new Error('TypeDoc could not read the packages')
app.validate(project)
// Whether types are exported, TypeDoc looks at in one package only: that of the project.
app.options.setValue('validation', { notExported: true, notDocumented: false, invalidLink: false })
for (const folder of FOLDERS) {
  project.packageName = `@flashrpc/${folder}`
  // These only serve TypeScript: it keeps literal types, and makes fewer types.
  app.options.setValue(
    'intentionallyNotExported',
    folder === 'core' ? ['Returned', 'WithKind', 'NoGroup'] : [],
  )
  app.validate(project)
}
rmSync(out, { recursive: true, force: true })
await app.generateOutputs(project)
const { warningCount, errorCount } = app.logger
console.log(`${entries.length} entries, ${warningCount} warnings, ${errorCount} errors`)
if (warningCount + errorCount > 0) process.exitCode = 1
