import { startServer } from './server.ts'

const { endpoint, url } = await startServer(Number(process.env.PORT ?? 8000))
console.log(`listening on ${url}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    // Calls that run may finish within 5 s. New ones are refused.
    await endpoint.close({ drain: 5_000 })
    console.log('stopped')
  })
}
