import { createClient, RpcError } from '@flashrpc/core'
import { type Answer, contract, RPC_PATH } from '../contract.js'
import { portOption, readArguments, UsageError } from './arguments.js'
import { endpointAddress } from './serve-page.js'
import { dim, green, red, yellow } from './style.js'

const PNPM = 'npx --yes pnpm@12'

const HELP = `Usage: ${PNPM} demo:ask QUESTION [--port PORT]

Asks every page of the running demo and prints each answer as it comes.

Exit code: 0 every page answered, yes or no; 1 no page could be asked, or one did not answer.

  -p, --port PORT   where the demo is (PORT, or 4321)
  -h, --help        this text`

/** How long the demo may take to be reached, in ms. */
const PATIENCE_MS = 3_000

/** @returns the exit code. */
async function main(): Promise<number> {
  const { port, help, words } = readArguments(process.argv.slice(2), process.env)
  if (help) {
    console.log(HELP)
    return 0
  }
  const text = words.join(' ').trim()
  if (!text) throw new UsageError(`Ask something: ${PNPM} demo:ask "Deploy?"`)

  await using client = createClient(contract, {
    url: endpointAddress(port, RPC_PATH),
    connectTimeoutMs: PATIENCE_MS,
    retry: { maxAttempts: 1 },
    autoConnect: false,
    // It says itself why it has no connection.
    logger: false,
    methods: { answered: (answer) => console.log(`${describe(answer)}`) },
  })
  try {
    await client.connect()
  } catch {
    const start = `${PNPM} demo${portOption(port)}`
    console.error(
      `${red('✖')} No demo runs on port ${port}: start it in another terminal: ${start}`,
    )
    return 1
  }
  // Ctrl+C takes the question back: the pages stop asking.
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort())
  console.log(dim(`Asking every open page: ${text}`))
  try {
    const { pages, yes, no, none } = await client.other.ask(
      { text },
      { timeout: Number.POSITIVE_INFINITY, signal: interrupted.signal },
    )
    if (pages === 0) {
      console.error(`${red('✖')} No page is open: open http://127.0.0.1:${port}/ and ask again`)
      return 1
    }
    const unanswered = none > 0 ? `, ${none} without an answer` : ''
    console.log(
      dim(`${pages} ${pages === 1 ? 'page' : 'pages'}: ${yes} yes, ${no} no${unanswered}`),
    )
    return none > 0 ? 1 : 0
  } catch (error) {
    if (!(error instanceof RpcError)) throw error
    const why = interrupted.signal.aborted ? 'The question was taken back' : error.message
    console.error(`${red('✖')} ${why}`)
    return 1
  }
}

function describe({ page, name, reply }: Answer): string {
  const told = { yes: green('yes'), no: yellow('no'), none: dim('no answer') }[reply]
  return `page ${page} (${name}): ${told}`
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`${red('✖')} ${error.message}`)
  process.exitCode = 1
}
