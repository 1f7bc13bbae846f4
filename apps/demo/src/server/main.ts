import { fileURLToPath } from 'node:url'
import { createEndpoint } from '@flashrpc/core/server'
import { contract, RPC_PATH } from '../contract.js'
import { createDemo, presence } from '../host/demo.js'
import { FolderError, openFolder } from '../host/folder.js'
import { portOption, readArguments, UsageError } from './arguments.js'
import { LOCAL_NAMES } from './local-only.js'
import { createPageServer, listenOn, PortError, pageAddress } from './serve-page.js'
import { bold, cyan, dim, green, red, yellow } from './style.js'

const PROJECT = fileURLToPath(new URL('../../../..', import.meta.url))
const PNPM = 'npx --yes pnpm@12'

const HELP = `Usage: ${PNPM} demo [FOLDER] [--port PORT]

Serves a page that shows every change in FOLDER (default: this project) as it happens.

  -p, --port PORT   where to listen, on this machine only; 0 for any free port (PORT, or 4321)
  -h, --help        this text`

async function main(): Promise<void> {
  const { port: wanted, help, words } = readArguments(process.argv.slice(2), process.env)
  if (help) return console.log(HELP)
  if (words.length > 1) throw new UsageError('Name one folder, or none. See --help.')
  // Package managers run scripts elsewhere, and tell where the person stands.
  const from = process.env.INIT_CWD ?? process.cwd()
  const folder = await openFolder(words[0] ?? PROJECT, from)

  let port = wanted
  const askCommand = () => `${PNPM} demo:ask "Deploy?"${portOption(port)}`
  // Listening comes first: who has no port needs no watcher.
  const server = createPageServer()
  port = await listenOn(server, wanted)
  const log = (line: string) =>
    console.log(`  ${dim(new Date().toLocaleTimeString('en-GB'))}  ${line}`)
  const demo = await createDemo({ folder, askCommand, log })
  const endpoint = createEndpoint(contract, {
    resume: {},
    allowedHosts: LOCAL_NAMES,
    presence,
    ...demo.served,
    onReject: [(_, { message }) => log(`refused a page: ${message}`)],
  })
  endpoint.attach(server, { path: RPC_PATH })

  console.log(
    [
      '',
      `  ${yellow('⚡')} ${bold('flashrpc demo')}`,
      '',
      `  ${green('➜')}  ${bold('Open')}      ${cyan(pageAddress(port))}`,
      `  ${green('➜')}  ${bold('Control')}   ${cyan(`${pageAddress(port)}control.html`)}  ${dim('the open pages, and calls to them')}`,
      `  ${green('➜')}  ${bold('Watching')}  ${folder}`,
      `  ${green('➜')}  ${bold('Ask')}       ${askCommand()}  ${dim('in a second terminal')}`,
      '',
      `  ${dim('Ctrl+C ends it. Start it again and the page comes back by itself.')}`,
      '',
    ].join('\n'),
  )

  let closing = false
  const close = async (): Promise<void> => {
    // A second signal means: now.
    if (closing) process.exit(1)
    closing = true
    server.close()
    // A question waits for a person, who may be away: nothing worth waiting for long.
    await Promise.all([demo.close(), endpoint.close({ drain: 500 })])
    server.closeAllConnections()
  }
  process.on('SIGINT', () => void close())
  process.on('SIGTERM', () => void close())
}

try {
  await main()
} catch (error) {
  const isExpected =
    error instanceof UsageError || error instanceof FolderError || error instanceof PortError
  if (!isExpected) throw error
  console.error(`${red('✖')} ${error.message}`)
  process.exitCode = 1
}
