import type { ClusterPeer } from './peer.ts'

/** By name; each is loaded in its own processes only. */
export const CLUSTER_PEERS: Readonly<Record<string, () => Promise<ClusterPeer>>> = {
  'flashrpc-nats': async () => (await import('./peers/flashrpc.ts')).flashrpcOverNats,
  'flashrpc-redis': async () => (await import('./peers/flashrpc.ts')).flashrpcOverRedis,
  'socket.io-redis': async () => (await import('./peers/socket-io.ts')).socketIoRedis,
  'socket.io-redis-streams': async () => (await import('./peers/socket-io.ts')).socketIoStreams,
}

/** Which messaging system a peer takes, without loading it. */
export function engineOf(peer: string): 'nats' | 'redis' {
  return peer.endsWith('nats') ? 'nats' : 'redis'
}
