import { createConnection } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../free-port.js'
import { EngineServer, findServer } from './engine-server.js'

/** Redis's server. */
export const redisProgram = findServer('redis-server', 'FLASHRPC_REQUIRE_REDIS')

/**
 * Starts a redis-server that keeps nothing on the disk.
 *
 * @param more further arguments, such as `['--cluster-enabled', 'yes']`.
 * @throws {Error} if there is none: {@link redisProgram} says so.
 */
export async function startRedis(more: readonly string[] = []): Promise<EngineServer> {
  if (!redisProgram.path) throw new Error(redisProgram.missing)
  const free = await freePort()
  return EngineServer.start(redisProgram.path, {
    async args(folder, port = free) {
      const where = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
      return [...where, '--save', '', '--appendonly', 'no', ...more]
    },
    async listening(_folder, port = free) {
      while (!(await isOpen(port))) await sleep(10)
      return port
    },
  })
}

/** Whether Redis answers there. */
function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write('PING\r\n'))
    const end = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    // Also if it asks for a password, or speaks TLS.
    socket.once('data', () => end(true))
    socket.once('error', () => end(false))
    socket.once('close', () => end(false))
  })
}
