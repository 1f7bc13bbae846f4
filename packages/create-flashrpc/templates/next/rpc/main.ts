import { endpoint } from './endpoint.ts'

const { url } = await endpoint.listen({ port: Number(process.env.RPC_PORT ?? 8000), path: '/ws' })
console.log(`listening on ${url}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Not `once`: tsx passes Ctrl-C on, so that it may come twice.
  // Calls that run may finish within 5 s. New ones are refused.
  process.on(signal, () => endpoint.close({ drain: 5_000 }))
}
