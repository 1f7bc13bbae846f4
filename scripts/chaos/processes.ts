import { Child } from './child.ts'
import type { ClientProcessOptions } from './process/client.ts'
import type { ServerOptions } from './process/server.ts'

/** Starts a server process, which makes no calls of its own where nothing else is said. */
export function startServer(
  options: Pick<ServerOptions, 'folder' | 'level'> & Partial<ServerOptions>,
): Child {
  const idle = { name: 'server', calls: 0, concurrency: 1, workMs: 0 }
  return new Child('./process/server.ts', { ...idle, ...options } satisfies ServerOptions)
}

/** Starts a process of clients, which are quick to notice and to come back where nothing else is said. */
export function startClients(
  options: Pick<ClientProcessOptions, 'folder' | 'url' | 'calls'> & Partial<ClientProcessOptions>,
): Child {
  const quick = {
    name: 'client',
    clients: 1,
    concurrency: 1,
    pauseMs: 0,
    timeoutMs: 30_000,
    offlineMs: 0,
    connectTimeoutMs: 2_000,
    heartbeatMs: 500,
    retry: { minDelayMs: 1, maxDelayMs: 10 },
  }
  return new Child('./process/client.ts', { ...quick, ...options } satisfies ClientProcessOptions)
}

/** Resolves after so many ms. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
