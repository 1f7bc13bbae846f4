import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import sirv from 'sirv'
import { endpoint } from './endpoint.ts'

/** The folder of the built page. Without one, no page is served: Vite serves it while you develop. */
const folder = process.argv[2]
const server = createServer(folder === undefined ? undefined : sirv(folder))
endpoint.attach(server, { path: '/ws' })

server.listen(Number(process.env.PORT ?? 8000), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  console.log(`listening on http://127.0.0.1:${port}`)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Not `once`: tsx passes Ctrl-C on, so that it may come twice.
  process.on(signal, async () => {
    server.close()
    // Calls that run may finish within 5 s. New ones are refused.
    await endpoint.close({ drain: 5_000 })
    server.closeAllConnections()
  })
}
