import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What a contract of so many methods costs an editor: it is defined with zod, served, and each method is called. */
export interface TypeCost {
  readonly count: number
  /** What the compiler takes to check it, in seconds. */
  readonly check: number
  readonly instantiations: number
  /** What the compiler takes for it and all that it knows, in KiB. */
  readonly memory: number
}

const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc')

const TSCONFIG = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2023', 'dom'],
    types: [],
    skipLibCheck: true,
  },
  files: ['program.ts'],
}

/** The shape of the contract: all methods beside each other, or in groups of 20. */
export type Shape = 'flat' | 'in groups'

export async function measureTypes(
  counts: readonly number[],
  shape: Shape = 'flat',
): Promise<TypeCost[]> {
  // Here, so that it finds the packages.
  const folder = await mkdtemp(join(import.meta.dirname, 'types-'))
  try {
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
    const costs: TypeCost[] = []
    for (const count of counts) {
      await writeFile(join(folder, 'program.ts'), programOf(count, shape))
      costs.push(await costOf(count, folder))
    }
    return costs
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function costOf(count: number, folder: string): Promise<TypeCost> {
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, [TSC, '-p', folder, '--extendedDiagnostics'])
  const figure = (name: string): number => {
    const found = new RegExp(`^${name}:\\s+([\\d.]+)`, 'm').exec(stdout)
    if (!found) throw new Error(`tsc says nothing of "${name}"`)
    return Number(found[1])
  }
  return {
    count,
    check: figure('Check time'),
    instantiations: figure('Instantiations'),
    memory: figure('Memory used'),
  }
}

const GROUP = 20

function programOf(count: number, shape: Shape): string {
  const numbers = Array.from({ length: count }, (_, n) => n)
  const isFlat = shape === 'flat'
  const each = (line: (n: number) => string) => numbers.map(line)
  // Members of an object literal, in groups if the contract has them.
  const members = (line: (n: number) => string) =>
    isFlat
      ? each(line)
      : numbers
          .filter((n) => n % GROUP === 0)
          .map(
            (n) =>
              `g${n}: { ${numbers
                .slice(n, n + GROUP)
                .map(line)
                .join(' ')} },`,
          )
  const path = (n: number) => (isFlat ? '' : `g${n - (n % GROUP)}.`)
  return [
    "import { createClient, defineContract, method } from '@flashrpc/core'",
    "import { createEndpoint } from '@flashrpc/core/server'",
    "import { z } from 'zod'",
    'export const contract = defineContract({ server: {',
    ...members(
      (n) =>
        `m${n}: method({ params: z.object({ id: z.string(), tags: z.array(z.string()) }), result: z.object({ ok: z.boolean(), v${n}: z.number() }) }),`,
    ),
    '} })',
    'export const endpoint = createEndpoint(contract, { methods: {',
    ...members((n) => `m${n}: ({ tags }) => ({ ok: true, v${n}: tags.length }),`),
    '} })',
    "const client = createClient(contract, { url: 'ws://127.0.0.1' })",
    'export const calls = [',
    ...each(
      (n) => `client.other.${path(n)}m${n}({ id: 'a', tags: [] }).then(({ v${n} }) => v${n}),`,
    ),
    ']',
  ].join('\n')
}
