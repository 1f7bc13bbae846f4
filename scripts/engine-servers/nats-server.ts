import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EngineServer, findServer } from './engine-server.js'

/** NATS's server. */
export const natsProgram = findServer('nats-server', 'FLASHRPC_REQUIRE_NATS')

export interface NatsServerOptions {
  /** Whether it keeps streams, for the store of results. Default false. */
  jetStream?: boolean
  /** What else its configuration says, in its language. */
  config?: string
}

/**
 * Starts a nats-server.
 *
 * @throws {Error} if there is none: {@link natsProgram} says so.
 */
export function startNats({
  jetStream = false,
  config = '',
}: NatsServerOptions = {}): Promise<EngineServer> {
  if (!natsProgram.path) throw new Error(natsProgram.missing)
  return EngineServer.start(natsProgram.path, {
    async args(folder, port = -1) {
      const file = join(folder, 'nats.conf')
      await writeFile(file, config)
      const where = ['-a', '127.0.0.1', '-p', String(port), '--ports_file_dir', folder]
      return ['-c', file, ...where, ...(jetStream ? ['-js', '-sd', folder] : [])]
    },
    // It writes its ports to a file that is named after its process.
    async listening(folder, _port, { pid }) {
      for (;;) {
        const name = (await readdir(folder)).find((file) => file.endsWith(`_${pid}.ports`))
        const text = name && (await readFile(join(folder, name), 'utf8').catch(() => ''))
        const ports = text && parse(text)
        if (ports) return Number(new URL(ports.nats?.[0] ?? '').port)
        await sleep(10)
      }
    },
  })
}

/** The file as it is; nothing while it is being written. */
function parse(text: string): { nats?: string[] } | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
