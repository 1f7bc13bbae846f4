import { Build } from './builds.ts'
import type { Peer, PortPeer } from './peer.ts'
import type { Scenario } from './scenario.ts'

/** By name; each is loaded in its own processes only. Those of flashrpc are of the build that they are given. */
export const PEERS: Readonly<Record<string, (build: Build) => Promise<Peer>>> = {
  'raw-ws': async () => (await import('./peers/raw-ws.ts')).rawWs,
  'raw-ws-coalesced': async () => (await import('./peers/raw-ws-coalesced.ts')).rawWsCoalesced,
  flashrpc: async (build) => (await import('./peers/flashrpc.ts')).flashrpc(build),
  'flashrpc-sessions': async (build) =>
    (await import('./peers/flashrpc.ts')).flashrpc(build, { resume: {} }),
  'flashrpc-plain': async (build) =>
    (await import('./peers/flashrpc-plain.ts')).flashrpcPlain(build),
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
  'flashrpc-large': async (build) => (await import('./peers/flashrpc.ts')).flashrpc(build, LARGE),
}

const LARGE = { limits: { message: 16 * 1024 * 1024, sendBuffer: Number.POSITIVE_INFINITY } }

/** Those over a port. */
export const PORT_PEERS: Readonly<Record<string, (build: Build) => Promise<PortPeer>>> = {
  'raw-port': async () => (await import('./port-peers/raw-port.ts')).rawPort,
  'flashrpc-port': async (build) =>
    (await import('./port-peers/flashrpc-port.ts')).flashrpcPort(build),
  'birpc-port': async () => (await import('./port-peers/birpc-port.ts')).birpcPort,
  comlink: async () => (await import('./port-peers/comlink.ts')).comlink,
}

type Field = Pick<Scenario, 'peers' | 'baseline'>

export const OVER_SOCKET: Field = { peers: Object.keys(PEERS), baseline: 'raw-ws' }
export const OVER_PORT: Field = { peers: Object.keys(PORT_PEERS), baseline: 'raw-port' }

/** The peers of flashrpc's among these, each with the name of the same peer of another folder's build: `flashrpc@FOLDER`. */
export function namesAgainst(
  peers: readonly string[],
  folder: string,
): (readonly [peer: string, other: string])[] {
  return peers.flatMap((peer) =>
    peer.startsWith('flashrpc') ? [[peer, `${peer}@${folder}`] as const] : [],
  )
}

/** What a peer's name stands for: an entry of the tables here, and the build of flashrpc that it takes. */
export function peerNamed(name: string): { readonly kind: string; readonly build: Build } {
  const at = name.indexOf('@')
  if (at < 0) return { kind: name, build: new Build() }
  return { kind: name.slice(0, at), build: new Build(name.slice(at + 1)) }
}
