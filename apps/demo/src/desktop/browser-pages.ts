import { createEndpoint } from '@flashrpc/core/server'
import { contract, RPC_PATH } from '../contract.js'
import { presence, type Served } from '../host/demo.js'
import { LOCAL_NAMES } from '../server/local-only.js'
import { createPageServer, listenOn, pageAddress } from '../server/serve-page.js'

/** Lets browsers of this machine show the same page, served by the same demo as the windows. */
export interface BrowserPages {
  /** The port it listens on, once it does. */
  readonly port: number | undefined
  /** Listens, where it does not yet. @returns the page's address. */
  open(): Promise<string>
  /** Ends it. Safe to call twice. */
  close(options: { drain: number }): Promise<void>
}

export function createBrowserPages(served: Served): BrowserPages {
  const server = createPageServer()
  const endpoint = createEndpoint(contract, { allowedHosts: LOCAL_NAMES, presence, ...served })
  endpoint.attach(server, { path: RPC_PATH })
  let listening: Promise<number> | undefined
  let port: number | undefined
  return {
    get port() {
      return port
    },
    async open() {
      listening ??= listenOn(server, 0)
      port = await listening
      return pageAddress(port)
    },
    async close(options) {
      server.close()
      await endpoint.close(options)
      server.closeAllConnections()
    },
  }
}
