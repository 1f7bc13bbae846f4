import { execFile } from 'node:child_process'
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { measureTypes, type Shape } from '../bench/type-cost.ts'
import { pack } from './pack.ts'

/**
 * Type-checks programs as users write them in every version of TypeScript that is promised, against the packages as
 * they are packed, with `skipLibCheck: false`.
 *
 * The programs are in `scripts/typescript-versions`. They have right lines, which must pass, and wrong lines behind
 * `@ts-expect-error`, which must fail.
 *
 * Then it counts what the types of a large contract cost the compiler.
 */

const VERSIONS = ['5.4', '5.7', '5.9', '6', '7'] as const
type Version = (typeof VERSIONS)[number]

/** Files, and what differs in their `compilerOptions`. */
interface Program {
  readonly files: readonly string[]
  readonly strict: boolean
  readonly lib: readonly string[]
  readonly types: readonly string[]
  readonly module: string
  readonly moduleResolution: string
}

/**
 * How many types the compiler of the workspace may instantiate for a contract of 500 methods, each of which is called.
 * It counts the same at every run: 621,520 if all are beside each other,
 * and 703,759 in groups of 20, with TypeScript 6.0.3 and zod 4.6.7.
 */
const MOST_INSTANTIATIONS: Readonly<Record<Shape, number>> = { flat: 627_000, 'in groups': 711_000 }

const page = ['client.ts', 'plain.ts', 'page.ts', 'hooks.tsx']
const server = ['client.ts', 'plain.ts', 'server.ts', 'groups.ts']
const dom = ['ES2022', 'DOM', 'DOM.Iterable']
const nodenext = { module: 'nodenext', moduleResolution: 'nodenext' }
const bundler = { module: 'esnext', moduleResolution: 'bundler' }

const PROGRAMS: Readonly<Record<string, Program>> = {
  server: { files: server, strict: true, lib: ['ES2022'], types: ['node'], ...nodenext },
  page: { files: page, strict: true, lib: dom, types: [], ...bundler },
  desktop: { files: ['desktop.ts'], strict: true, lib: dom, types: ['node'], ...nodenext },
  'not strict': {
    files: [...new Set([...server, ...page]), 'desktop.ts'],
    strict: false,
    lib: dom,
    types: ['node'],
    ...bundler,
  },
}

const run = promisify(execFile)
const workspace = join(import.meta.dirname, 'typescript-versions')
// There the programs find the dependencies of the workspace, and git ignores it.
const folder = join(workspace, 'node_modules', '.programs')

await rm(folder, { recursive: true, force: true })
await cp(join(workspace, 'programs'), folder, { recursive: true })
await Promise.all(['core', 'react', 'electron'].map(install))

const checks = VERSIONS.flatMap((version) =>
  Object.keys(PROGRAMS).map((name) => ({ version, name })),
)
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let next = checks.shift(); next; next = checks.shift()) await check(next)
  }),
)
for (const shape of ['flat', 'in groups'] as const)
  await checkCost(shape, MOST_INSTANTIATIONS[shape])

/** Puts a package where an installation would put it. */
async function install(name: string): Promise<void> {
  const target = join(folder, 'node_modules', '@flashrpc', name)
  await mkdir(target, { recursive: true })
  await run('tar', ['-xzf', pack(name, target), '--strip-components=1'], { cwd: target })
}

async function check({ version, name }: { version: Version; name: string }): Promise<void> {
  const program = PROGRAMS[name] as Program
  const config = join(folder, `${version}, ${name}.json`)
  await writeFile(config, JSON.stringify(configurationOf(program, version)))
  const begin = performance.now()
  try {
    await run(process.execPath, [...compilerOf(version), config], { cwd: folder })
    const seconds = ((performance.now() - begin) / 1000).toFixed(1)
    console.log(`TypeScript ${version}: ${name} (${seconds} s)`)
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    console.error(`TypeScript ${version}: ${name} is wrong:\n${stdout ?? ''}${stderr ?? ''}`)
    process.exitCode = 1
  }
}

async function checkCost(shape: Shape, mostInstantiations: number): Promise<void> {
  const [cost] = await measureTypes([500], shape)
  const count = cost?.instantiations ?? Number.NaN
  const says = `500 methods, ${shape}: ${count.toLocaleString('en')} instantiations of types`
  if (count <= mostInstantiations) return console.log(says)
  const most = mostInstantiations.toLocaleString('en')
  console.error(
    `${says}; at most ${most} are allowed. Make the types cheaper, or raise the budget.`,
  )
  process.exitCode = 1
}

function configurationOf({ files, ...options }: Program, version: Version): object {
  const literals = Number(version) < 6 ? 'async-literal-before-6.ts' : 'async-literal.ts'
  return {
    compilerOptions: {
      ...options,
      target: 'ES2022',
      jsx: 'react-jsx',
      noEmit: true,
      skipLibCheck: false,
    },
    files: [...files, ...(options.strict ? ['strict.ts'] : []), literals],
  }
}

/** What Node runs, up to the path of a configuration. TypeScript 7 is a native program without a JavaScript API. */
function compilerOf(version: Version): string[] {
  const name = `typescript-${version}`
  if (version !== '7') return [join(workspace, 'check-program.mjs'), name]
  const manifest = createRequire(join(workspace, 'package.json')).resolve(`${name}/package.json`)
  return [join(manifest, '..', 'bin', 'tsc'), '-p']
}
