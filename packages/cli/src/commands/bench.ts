import { RpcDisconnectedError, RpcError } from '@flashrpc/core'
import { Command, InvalidArgumentError } from 'commander'
import { BenchFailed } from '../bench-failed.js'
import { addConnectionOptions, type ConnectionFlags, connect, wholeNumber } from '../connection.js'
import { toJson } from '../json.js'
import { generateLoad, type LoadReport } from '../load.js'
import { isForPeople, type OutputFlags, printLine } from '../output.js'
import { readParams } from '../params.js'

interface BenchFlags extends ConnectionFlags {
  calls: number
  concurrency: number
}

/** The most calls of one run, and the most of them at a time. */
const MAX_CALLS = 1_000_000
const MAX_CONCURRENCY = 1_000

/** `flashrpc bench`: calls a method many times over one connection, and prints how long that took. */
export function createBenchCommand(stop: AbortSignal): Command {
  const command = new Command('bench')
    .description('Call a method many times over one connection, and print how fast it answers.')
    .argument('<url>', 'of the server, such as ws://127.0.0.1:8000/ws')
    .argument('<method>', 'its name')
    .argument('[params]', `its params as JSON, such as '{"a":5,"b":10}'`)
    .option('-n, --calls <n>', `how many, ${MAX_CALLS} at the most`, atMost(MAX_CALLS), 1_000)
    .option(
      '-c, --concurrency <n>',
      `how many at a time, ${MAX_CONCURRENCY} at the most`,
      atMost(MAX_CONCURRENCY),
      10,
    )
  return addConnectionOptions(command).action(
    async (url: string, method: string, argument: string | undefined, flags: BenchFlags) => {
      const params = await readParams(argument, {}, stop)
      await using client = await connect(url, flags, stop)
      const report = await generateLoad(() => client.call(method, params, { signal: stop }), {
        calls: flags.calls,
        concurrency: flags.concurrency,
        signal: stop,
        isFatal: (error) => error instanceof RpcDisconnectedError,
        codeOf: (error) => (error instanceof RpcError ? String(error.code) : 'unknown'),
      })
      print(report, flags)
      stop.throwIfAborted()
      const failed = Object.values(report.errors).reduce((sum, count) => sum + count, 0)
      if (failed > 0) throw new BenchFailed(failed, report.calls)
    },
  )
}

function atMost(max: number): (text: string) => number {
  return (text) => {
    const value = wholeNumber(text)
    if (value > max) throw new InvalidArgumentError(`It must be ${max} at the most.`)
    return value
  }
}

function print(report: LoadReport, flags: OutputFlags): void {
  if (!isForPeople(flags)) return printLine(toJson(report))
  const { calls, seconds, callsPerSecond, latencyMs, errors } = report
  printLine(`${calls} calls in ${seconds.toFixed(2)} s: ${Math.round(callsPerSecond)} calls/s`)
  if (latencyMs) {
    const [p50, p99, max] = [latencyMs.p50, latencyMs.p99, latencyMs.max].map((ms) => ms.toFixed(2))
    printLine(`answered within ${p50} ms (p50), ${p99} ms (p99), ${max} ms at the most`)
  }
  for (const [code, count] of Object.entries(errors)) printLine(`${count} ended with ${code}`)
}
