import type { Peer, PortPeer } from './peer.ts'

/** By name; each is loaded in its own processes only. The first is what the others are measured against. */
export const PEERS: Readonly<Record<string, () => Promise<Peer>>> = {
  'raw-ws': async () => (await import('./peers/raw-ws.ts')).rawWs,
  'raw-ws-coalesced': async () => (await import('./peers/raw-ws-coalesced.ts')).rawWsCoalesced,
  flashrpc: async () => (await import('./peers/flashrpc.ts')).flashrpc(),
  'flashrpc-sessions': async () => (await import('./peers/flashrpc.ts')).flashrpc({ resume: {} }),
  'flashrpc-plain': async () => (await import('./peers/flashrpc-plain.ts')).flashrpcPlain,
  birpc: async () => (await import('./peers/birpc.ts')).birpc,
  'rpc-websockets': async () => (await import('./peers/rpc-websockets.ts')).rpcWebsockets,
  'json-rpc-2.0': async () => (await import('./peers/json-rpc-2.0.ts')).jsonRpc2,
  'vscode-jsonrpc': async () => (await import('./peers/vscode-jsonrpc.ts')).vscodeJsonrpc,
  'socket.io': async () => (await import('./peers/socket-io.ts')).socketIo,
  capnweb: async () => (await import('./peers/capnweb.ts')).capnweb,
  trpc: async () => (await import('./peers/trpc.ts')).trpc,
  orpc: async () => (await import('./peers/orpc.ts')).orpc,
}

/** What is compared with nobody, but measured by itself. */
export const VARIANTS: typeof PEERS = {
  'flashrpc-large': async () => (await import('./peers/flashrpc.ts')).flashrpc(LARGE),
}

const LARGE = { limits: { message: 16 * 1024 * 1024, sendBuffer: Number.POSITIVE_INFINITY } }

/** Those over a port. */
export const PORT_PEERS: Readonly<Record<string, () => Promise<PortPeer>>> = {
  'raw-port': async () => (await import('./port-peers/raw-port.ts')).rawPort,
  'flashrpc-port': async () => (await import('./port-peers/flashrpc-port.ts')).flashrpcPort,
  'birpc-port': async () => (await import('./port-peers/birpc-port.ts')).birpcPort,
  comlink: async () => (await import('./port-peers/comlink.ts')).comlink,
}

/** What the others are measured against. */
export const BASELINE = { socket: 'raw-ws', port: 'raw-port' } as const
