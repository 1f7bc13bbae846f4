import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createEndpoint } from '@flashrpc/core/server'
import { contract } from './contract.js'

/** Serves the page, its bundle and an endpoint on one port. */
export async function serve() {
  const endpoint = createEndpoint(contract, {
    methods: {
      add: ({ a, b }) => a + b,
      askMe: (_, { channel }) => channel.other.confirm(),
    },
  })
  const server = createServer((request, response) => {
    const isBundle = request.url === '/page.out.js'
    response.setHeader('Content-Type', isBundle ? 'text/javascript' : 'text/html')
    response.end(
      isBundle
        ? readFileSync(new URL('page.out.js', import.meta.url))
        : '<!doctype html><main></main><script type="module" src="/page.out.js"></script>',
    )
  })
  endpoint.attach(server, { path: '/ws' })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  return {
    page: `http://127.0.0.1:${port}/`,
    url: `ws://127.0.0.1:${port}/ws`,
    async close() {
      await endpoint.close()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
