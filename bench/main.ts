import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { Build } from './builds.ts'
import type { Growth } from './growth.ts'
import { namesAgainst } from './peers.ts'
import { comparisonOf, type Measurements, tableOf } from './report.ts'
import type { Measured, Sample } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'

if (process.argv[2] === 'cluster') {
  await import('./cluster/main.ts')
  process.exit()
}

const ROUNDS = 9
/** What scenarios have other rounds for. */
const otherRounds = Object.entries(SCENARIOS).flatMap(([name, { rounds }]) =>
  rounds === undefined ? [] : `${name}: ${rounds}`,
)
const known = [...new Set(Object.values(SCENARIOS).flatMap((scenario) => scenario.peers))]

const HELP = `Usage: npx --yes pnpm@12 bench [options]
       npx --yes pnpm@12 bench cluster [options]      several nodes: see its --help

Measures flashrpc beside its peers, in interleaved rounds, and prints a table for each scenario: medians of ratios
against raw-ws, raw-port or raw-ws-coalesced within a round.

  --scenario NAME,…   ${Object.keys(SCENARIOS).join(', ')} (default: all)
  --peers NAME,…      ${known.join(', ')} (default: all)
  --against FOLDER    also measures flashrpc as a workspace in that folder has built it, in the same rounds, as
                      flashrpc@FOLDER, flashrpc-port@FOLDER and so on, and prints the ratios against these
  --rounds N          how often each is measured (default ${ROUNDS}; ${otherRounds.join(', ')})
  --json FILE         writes all measurements
  --quick             one round of little: proves that it runs, and measures nothing
  --help              this text`

const { values } = parseArgs({
  options: {
    scenario: { type: 'string' },
    peers: { type: 'string' },
    against: { type: 'string' },
    rounds: { type: 'string' },
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit()
}

const scenarios = chosen('scenario', values.scenario, Object.keys(SCENARIOS))
const peers = chosen('peer', values.peers, known)
const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
  fail(`--rounds takes a number from 1, not ${values.rounds}`)

/** By peer of flashrpc's: the name of the same peer of the folder's build. */
const against = new Map(values.against === undefined ? [] : namesAgainst(peers, values.against))

try {
  new Build().assertBuilt()
  if (values.against !== undefined) new Build(values.against).assertBuilt()
} catch (error) {
  fail((error as Error).message)
}

const machine = {
  date: new Date().toISOString().slice(0, 10),
  node: process.version,
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  platform: `${process.platform} ${process.arch}`,
}
console.log(
  `${machine.cores} × ${machine.cpu}, ${machine.platform}, Node ${machine.node}, ${machine.date}`,
)

const results: Measurements[] = []
for (const name of scenarios) {
  const measurements = await measure(name)
  results.push(measurements)
  console.log(`\n${tableOf(measurements)}`)
  for (const [peer, other] of against) {
    const comparison = comparisonOf(measurements, peer, other)
    if (comparison) console.log(`\n${comparison}`)
  }
}
await write(undefined)
if (values.scenario === undefined) {
  // It imports what may not be built, which is looked at above.
  const { growthTables, measureGrowth } = await import('./growth.ts')
  const growth = await measureGrowth(values.quick)
  console.log(`\n### How cost grows\n\n${growthTables(growth)}`)
  await write(growth)
}

async function write(growth: Growth | undefined): Promise<void> {
  if (!values.json) return
  await writeFile(values.json, `${JSON.stringify({ machine, results, growth }, null, 1)}\n`)
}

async function measure(name: string): Promise<Measurements> {
  const scenario = SCENARIOS[name]
  if (!scenario) throw new Error(name)
  const { title, baseline, figure } = scenario
  const asked = peers.filter((peer) => scenario.peers.includes(peer))
  const taking = new Set([baseline, ...asked.flatMap((peer) => [peer, against.get(peer) ?? peer])])
  const times = values.quick ? 1 : (rounds ?? scenario.rounds ?? ROUNDS)
  const measured = new Map<string, Measured>()
  const samples: Record<string, Sample[]> = {}
  try {
    for (const peer of taking) {
      const one = await scenario.open(peer, values.quick)
      if (one) measured.set(peer, one)
    }
    for (let round = 0; round < times; round++) {
      // Another order each time: who comes after whom is nobody's advantage.
      const order = [...measured.keys()]
      order.push(...order.splice(0, round % order.length))
      for (const peer of order) {
        samples[peer] ??= []
        samples[peer].push((await measured.get(peer)?.measure()) ?? {})
      }
    }
    const peaks = await Promise.all(
      [...measured].map(async ([peer, one]) => [peer, await one.peakMemory?.()] as const),
    )
    return {
      name,
      title,
      baseline,
      figure,
      samples,
      peaks: Object.fromEntries(peaks),
    }
  } finally {
    await Promise.all([...measured.values()].map((one) => one[Symbol.asyncDispose]()))
  }
}

function chosen(what: string, list: string | undefined, all: readonly string[]): string[] {
  if (list === undefined) return [...all]
  const names = list.split(',')
  const unknown = names.find((one) => !all.includes(one))
  if (unknown !== undefined) fail(`There is no ${what} ${unknown}; there are ${all.join(', ')}`)
  return names
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}
