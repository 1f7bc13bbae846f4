import type { Build } from '../builds.ts'
import type { Peer } from '../peer.ts'
import { flashrpc } from './flashrpc.ts'
import { jsonRpc2 } from './json-rpc-2.0.ts'

/** A server of flashrpc, and clients that speak plain JSON-RPC 2.0 and call. */
export function flashrpcPlain(build: Build): Peer {
  return {
    async serve() {
      const { port } = await flashrpc(build).serve()
      return { port }
    },
    connect: (port, page) => jsonRpc2.connect(port, page),
  }
}
