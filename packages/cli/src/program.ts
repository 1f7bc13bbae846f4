import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { createBenchCommand } from './commands/bench.js'
import { createCallCommand } from './commands/call.js'
import { createDiscoverCommand } from './commands/discover.js'
import { createListenCommand } from './commands/listen.js'

/** The whole command line. Errors are thrown, and the caller prints them. */
export function createProgram(stop: AbortSignal): Command {
  const program = new Command('flashrpc')
    .description('Calls, listens to, describes and measures JSON-RPC 2.0 servers over WebSockets.')
    .version(version(), '-V, --version', 'print the version')
    .helpCommand('help [command]', 'print this, or the help of a command')
  const commands = [
    createCallCommand(stop),
    createListenCommand(stop),
    createDiscoverCommand(stop),
    createBenchCommand(stop),
  ]
  for (const command of commands) program.addCommand(command)
  for (const command of [program, ...commands]) {
    command
      .helpOption('-h, --help', 'print this')
      .addHelpText('after', EXIT_CODES)
      .exitOverride()
      .configureOutput({ outputError: () => {} })
  }
  return program
}

const EXIT_CODES = `
Exit codes: 0 done; 1 the call ended with an error; 2 the command line is wrong; 3 no connection, or it
was lost; 4 no answer in time; 130 interrupted; 143 terminated.`

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
