import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { SchemeUrls } from './scheme-urls.js'

/** Answers a request, or leaves it: then there is no such host. */
export type Serve = (request: Request) => Response | Promise<Response> | undefined

/** Answers the requests of all windows, so that nothing reaches the network. */
export interface PageServer {
  readonly port: number
  close(): Promise<void>
}

/**
 * Serves every host but `localhost` to Chromium.
 *
 * @param serve - Gets each request under the address by which the main process knows it.
 */
export async function startPageServer(urls: SchemeUrls, serve: Serve): Promise<PageServer> {
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch(() => outgoing.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const response = await serve(readRequest(incoming, urls))
    // An error response is a network error, and so is a host that nobody serves.
    if (!response || response.type === 'error') return void outgoing.destroy()
    for (const [name, value] of response.headers) {
      if (/^content-security-policy/.test(name)) {
        outgoing.appendHeader(name, urls.policyToChromium(value))
      } else if (name === 'location') outgoing.setHeader(name, urls.toChromium(value))
      else outgoing.appendHeader(name, value)
    }
    outgoing.writeHead(response.status, response.statusText || undefined)
    if (response.body === null || incoming.method === 'HEAD') return void outgoing.end()
    await pipeline(Readable.fromWeb(response.body as never), outgoing)
  }

  const { port } = server.address() as AddressInfo
  return { port, close: () => closeServer(server) }
}

function readRequest(incoming: IncomingMessage, urls: SchemeUrls): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value === undefined || name === 'host' || name === 'connection') continue
    for (const each of [value].flat()) headers.append(name, urls.toElectron(each))
  }
  const { method = 'GET' } = incoming
  const url = urls.toElectron(`http://${incoming.headers.host}${incoming.url}`)
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers })
  const body = Readable.toWeb(incoming) as unknown as BodyInit
  return new Request(url, { method, headers, body, duplex: 'half' } as RequestInit)
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
