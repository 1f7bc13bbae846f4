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
      // Any answer: it may ask for a password, or speak TLS.
      await redisSays(port, 'PING', /./s)
      return port
    },
  })
}

/**
 * Waits until a server answers a command with something. It may be an error: the server may ask for a password.
 *
 * @param command as a line, such as `INFO replication`.
 */
export async function redisSays(port: number, command: string, what: RegExp): Promise<void> {
  while (!what.test(await answerOf(port, command))) await sleep(10)
}

/** @returns what came first; nothing if the connection was lost before. */
function answerOf(port: number, command: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write(`${command}\r\n`))
    const end = (text: string) => {
      socket.destroy()
      resolve(text)
    }
    socket.once('data', (bytes) => end(bytes.toString('latin1')))
    socket.once('error', () => end(''))
    socket.once('close', () => end(''))
  })
}
