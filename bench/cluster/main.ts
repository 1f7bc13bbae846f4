import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { natsProgram } from '../../scripts/engine-servers/nats-server.ts'
import { redisProgram } from '../../scripts/engine-servers/redis-server.ts'
import { type Figures, measure, SCENARIOS, type Size } from './measure.ts'
import { CLUSTER_PEERS, engineOf } from './peers.ts'
import { tablesOf } from './report.ts'

const FULL: Size = {
  calls: 2_000,
  clients: 1_000,
  rounds: 30,
  moves: 9,
  callsInFlight: 100_000,
  notes: 30,
  kills: 20,
  targets: 25,
  timeoutMs: 5_000,
  settleMs: 2_500,
}
const QUICK: Size = {
  calls: 200,
  clients: 20,
  rounds: 2,
  moves: 1,
  callsInFlight: 2_000,
  notes: 10,
  kills: 2,
  targets: 5,
  timeoutMs: 3_000,
  settleMs: 500,
}

const HELP = `Usage: npx --yes pnpm@12 bench cluster [options]

Measures flashrpc over several nodes, beside Socket.IO with its adapters for Redis, and prints the tables of
docs/performance.md. It needs nats-server and redis-server.

  --scenario NAME,…   ${Object.keys(SCENARIOS).join(', ')} (default: all)
  --peers NAME,…      ${Object.keys(CLUSTER_PEERS).join(', ')} (default: all)
  --json FILE         writes all figures
  --quick             few clients: proves that it runs, and that one message is published once, and wakes no node
                      without members
  --help              this text`

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    scenario: { type: 'string' },
    peers: { type: 'string' },
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
const peers = chosen('peer', values.peers, Object.keys(CLUSTER_PEERS))
for (const peer of peers) {
  const missing = (engineOf(peer) === 'nats' ? natsProgram : redisProgram).missing
  if (missing !== undefined) fail(missing)
}

const size = values.quick ? QUICK : FULL
const machine = {
  date: new Date().toISOString().slice(0, 10),
  node: process.version,
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  platform: `${process.platform} ${process.arch}`,
  /** Of the minute before. */
  load: loadavg()[0],
}
const { cores, cpu, platform, node, date, load = 0 } = machine
console.log(`${cores} × ${cpu}, ${platform}, Node ${node}, ${date}, load ${load.toFixed(1)}`)

const results = new Map<string, Figures>()
for (const peer of peers) {
  const figures = await measure(peer, scenarios, size)
  results.set(peer, figures)
  if (values.quick && peer.startsWith('flashrpc')) check(peer, figures)
}
console.log(`\n${tablesOf(results, size)}`)
if (values.json) {
  await writeFile(
    values.json,
    `${JSON.stringify({ machine, cluster: { size, results: [...results] } }, null, 1)}\n`,
  )
}

/** What holds on any machine. */
function check(peer: string, { calls, notes, kills }: Figures): void {
  if (calls) {
    const added = calls.remote - calls.own
    assert.ok(added < 5, `${peer}: a remote target adds ${added} ms`)
  }
  if (notes) {
    const { published, woken, inVain } = notes
    const expected = { published: 1, woken: 1, inVain: 0 }
    assert.deepEqual({ published, woken, inVain }, expected, `${peer}: a message to a group`)
  }
  if (kills)
    assert.deepEqual([kills.missing, kills.wrong], [0, 0], `${peer}: outcomes after a kill`)
}

/** @returns the names that an option gives, or else all. */
function chosen(what: string, given: string | undefined, all: readonly string[]): string[] {
  const names = given?.split(',') ?? [...all]
  const unknown = names.find((name) => !all.includes(name))
  if (unknown !== undefined) fail(`There is no ${what} ${unknown}; see --help`)
  return names
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}
