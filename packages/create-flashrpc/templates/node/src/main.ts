import { startServer } from './server.ts'

const { endpoint, url } = await startServer(Number(process.env.PORT ?? 8000))
console.log(`listening on ${url}`)

let isStopping = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Not `once`: tsx passes Ctrl-C on, so that it may come twice.
  process.on(signal, async () => {
    if (isStopping) return
    isStopping = true
    // Calls that run may finish within 5 s. New ones are refused.
    await endpoint.close({ drain: 5_000 })
    console.log('stopped')
  })
}
