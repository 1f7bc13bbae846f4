import { startOrchestrator } from './orchestrator.ts'
import { connectResearcher } from './researcher.ts'
import { whenListening } from './when-listening.ts'
import { connectWriter } from './writer.ts'

const port = Number(process.env.PORT ?? 8000)
const url = `ws://127.0.0.1:${port}/ws`
const log = (line: string) => console.log(line)

/** The program that the first argument names. @returns what ends it. */
async function start(): Promise<() => Promise<void>> {
  const [name] = process.argv.slice(2)
  if (name === 'researcher' || name === 'writer') {
    await whenListening(port)
    const client = name === 'writer' ? connectWriter(url, log) : connectResearcher(url, log)
    return () => client.close()
  }
  if (name !== 'orchestrator') throw new Error(`There is no program "${name}" in src/main.ts`)
  const orchestrator = await startOrchestrator(port, log)
  log(`listening on ${orchestrator.url}`)
  return () => orchestrator.endpoint.close()
}

const close = await start()
// Not `once`: tsx passes Ctrl-C on, so that it may come twice.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, close)
