import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { type Growth, growthTables, measureGrowth } from './growth.ts'
import { BASELINE, PEERS, PORT_PEERS } from './peers.ts'
import { type Measurements, tableOf } from './report.ts'
import { type Measured, type Sample, SCENARIOS } from './scenarios.ts'

const HELP = `Usage: npx --yes pnpm@12 bench [options]

Measures flashrpc beside its peers, in interleaved rounds, and prints a table for each scenario: medians of ratios
against raw-ws, or raw-port, within a round.

  --scenario NAME,…   ${Object.keys(SCENARIOS).join(', ')} (default: all)
  --peers NAME,…      ${[...Object.keys(PEERS), ...Object.keys(PORT_PEERS)].join(', ')} (default: all)
  --rounds N          how often each is measured (default 9)
  --json FILE         writes all measurements
  --quick             one round of little: proves that it runs, and measures nothing
  --help              this text`

const { values } = parseArgs({
  options: {
    scenario: { type: 'string' },
    peers: { type: 'string' },
    rounds: { type: 'string', default: '9' },
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
const peers = chosen('peer', values.peers, [...Object.keys(PEERS), ...Object.keys(PORT_PEERS)])
const rounds = values.quick ? 1 : Number(values.rounds)
if (!(Number.isInteger(rounds) && rounds > 0))
  fail(`--rounds takes a number from 1, not ${values.rounds}`)

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
}
await write(undefined)
if (values.scenario === undefined) {
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
  const baseline = BASELINE[scenario.wire]
  const known = scenario.wire === 'port' ? PORT_PEERS : PEERS
  const taking = new Set([baseline, ...peers.filter((peer) => Object.hasOwn(known, peer))])
  const measured = new Map<string, Measured>()
  const samples: Record<string, Sample[]> = {}
  try {
    for (const peer of taking) {
      const one = await scenario.open(peer, values.quick)
      if (one) measured.set(peer, one)
    }
    for (let round = 0; round < rounds; round++) {
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
      title: scenario.title,
      baseline,
      figure: scenario.figure,
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
