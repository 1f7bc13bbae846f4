import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import sirv from 'sirv'
import { isMadeLocally, refuseOtherUpgrades } from './local-only.js'

/** This machine only: the page reads files. */
const HOST = '127.0.0.1'

const WEB = fileURLToPath(new URL('../web', import.meta.url))

/** The port can't be had; its message says what to do. */
export class PortError extends Error {}

/** A server of the built page. */
export function createPageServer(): Server {
  const files = sirv(WEB, {
    etag: true,
    setHeaders(response, path) {
      // Names of assets change with their content; the page's own does not.
      const forEver = path.startsWith('/assets/')
      response.setHeader('Cache-Control', forEver ? 'max-age=31536000, immutable' : 'no-cache')
    },
  })
  const onRequest: RequestListener = (request, response) => {
    // Nothing from elsewhere, and in nobody's frame: the page reads the person's files.
    response.setHeader('Content-Security-Policy', "default-src 'self'; frame-ancestors 'none'")
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.setHeader('Referrer-Policy', 'no-referrer')
    if (!isMadeLocally(request)) {
      response.writeHead(403, { 'Content-Type': 'text/plain; charset=utf-8' })
      response.end('The demo is for this machine only: open it as http://127.0.0.1\n')
      return
    }
    files(request, response, () => {
      response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' })
      response.end('There is nothing here; the demo is at /\n')
    })
  }
  const server = createServer(onRequest)
  refuseOtherUpgrades(server)
  return server
}

/**
 * @returns the port it listens on.
 * @throws {PortError} where the port can't be had.
 */
export async function listenOn(server: Server, port: number): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, HOST, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const other = port < 65_535 ? port + 1 : 4321
    if (code === 'EADDRINUSE') {
      throw new PortError(
        `Port ${port} is in use: end what runs there, or take another: --port ${other}`,
      )
    }
    if (code === 'EACCES') {
      throw new PortError(`Port ${port} is not permitted: take one above 1023, such as --port 4321`)
    }
    throw new PortError(`Port ${port} can't be had: ${message}`)
  }
  return (server.address() as AddressInfo).port
}

/** The page's address. */
export function pageAddress(port: number): string {
  return `http://${HOST}:${port}/`
}

/** The endpoint's address. */
export function endpointAddress(port: number, path: string): string {
  return `ws://${HOST}:${port}${path}`
}
