import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { reportOf } from './report.ts'
import { churn } from './scenario/churn.ts'
import { cluster } from './scenario/cluster.ts'
import { drain } from './scenario/drain.ts'
import { halfOpen } from './scenario/half-open.ts'
import { herd } from './scenario/herd.ts'
import { kills } from './scenario/kills.ts'
import { ledger } from './scenario/ledger.ts'
import type { Scenario } from './scenario/scenario.ts'
import { slow } from './scenario/slow.ts'
import { streams } from './scenario/streams.ts'

// It causes faults by the thousand; outside production each would be printed, here and in its processes.
process.env.NODE_ENV = 'production'

const SCENARIOS: Record<string, { run: Scenario; calls: number; cuts: number; what: string }> = {
  ledger: {
    run: ledger,
    calls: 1_000,
    cuts: 10,
    what: 'calls both ways through a proxy that cuts, resets, swallows, stalls; CALLS each way, CUTS faults',
  },
  streams: {
    run: streams,
    calls: 20_000,
    cuts: 50,
    what: 'streams down, up and both ways, of CALLS items each, through the same proxy; CUTS faults',
  },
  kills: {
    run: kills,
    calls: 0,
    cuts: 20,
    what: 'a server that is killed CUTS times while four clients call it',
  },
  drain: {
    run: drain,
    calls: 300,
    cuts: 3,
    what: 'CUTS servers that are replaced behind a balancer; CALLS clients of 20 calls a second',
  },
  cluster: {
    run: cluster,
    calls: 9,
    cuts: 5,
    what: 'three nodes with NATS, CALLS clients: nodes are killed CUTS times, NATS too, others stop or are cut off',
  },
  'half-open': {
    run: halfOpen,
    calls: 0,
    cuts: 100,
    what: 'a server that vanishes without a goodbye, and one that is stopped CUTS times',
  },
  slow: {
    run: slow,
    calls: 30,
    cuts: 0,
    what: 'one client of CALLS that does not read',
  },
  churn: {
    run: churn,
    calls: 5_000,
    cuts: 0,
    what: 'CALLS connections that come, call once and go',
  },
  herd: {
    run: herd,
    calls: 1_000,
    cuts: 1,
    what: 'CALLS clients that lose their server together, and come back',
  },
}

const HELP = `Usage: npx --yes pnpm@12 chaos [SCENARIO] [options]

Runs calls against faults, in processes of their own, and holds what was run against what the callers
were told. Ends with 1 where a promise was broken.

Scenarios:
${Object.entries(SCENARIOS)
  .map(
    ([name, { what, calls, cuts }]) =>
      `  ${name.padEnd(9)} ${what} (${[calls, cuts].filter(Boolean).join(', ')})`,
  )
  .join('\n')}

Options:
  --calls N    how many calls
  --cuts N     how many faults
  --kills N    the same, in scenarios whose faults are kills
  --seed N     the same seed gives the same faults; default: a random one
  --level 0|1  without sessions, or with them; default 1 (of kills and slow: 0)
  -h, --help   this text`

/** What says more where no session mends it. */
const WITHOUT_SESSIONS: ReadonlySet<string> = new Set(['kills', 'slow'])

class UsageError extends Error {}

async function main(): Promise<void> {
  const { values, positionals } = parse()
  if (values.help) return console.log(HELP)
  const name = positionals[0] ?? 'ledger'
  const scenario = Object.hasOwn(SCENARIOS, name) ? SCENARIOS[name] : undefined
  if (!scenario || positionals.length > 1) {
    throw new UsageError(`There is no scenario "${positionals.join(' ')}". See --help.`)
  }
  const seed = numberOf('seed', values.seed) ?? Math.floor(Math.random() * 2 ** 31)
  const level = numberOf('level', values.level) ?? (WITHOUT_SESSIONS.has(name) ? 0 : 1)
  if (level !== 0 && level !== 1) throw new UsageError('--level is 0 or 1.')
  const folder = mkdtempSync(join(tmpdir(), 'flashrpc-chaos-'))
  const clean = () => rmSync(folder, { recursive: true, force: true })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      clean()
      process.exit(130)
    })
  }
  const begin = performance.now()
  try {
    const outcome = await scenario.run({
      seed,
      level,
      folder,
      calls: numberOf('calls', values.calls) ?? scenario.calls,
      cuts: numberOf('cuts', values.cuts) ?? numberOf('kills', values.kills) ?? scenario.cuts,
      progress: (text) => process.stderr.isTTY && process.stderr.write(`\r${text}   `),
    })
    if (process.stderr.isTTY) process.stderr.write('\r')
    console.log(
      reportOf(`${name}, level ${level}`, seed, (performance.now() - begin) / 1_000, outcome),
    )
    if (outcome.faults.length > 0) process.exitCode = 1
  } finally {
    clean()
  }
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        calls: { type: 'string' },
        cuts: { type: 'string' },
        kills: { type: 'string' },
        seed: { type: 'string' },
        level: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError(`${(error as Error).message} See --help.`)
  }
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0 && text !== '') return value
  throw new UsageError(`--${name} takes a whole number, not "${text}".`)
}

try {
  await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
