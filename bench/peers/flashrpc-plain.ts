import type { Peer } from '../peer.ts'
import { flashrpc } from './flashrpc.ts'
import { jsonRpc2 } from './json-rpc-2.0.ts'

/** A server of flashrpc, and clients that speak plain JSON-RPC 2.0. */
export const flashrpcPlain: Peer = {
  serve: () => flashrpc().serve(),
  connect: (port, page) => jsonRpc2.connect(port, page),
}
