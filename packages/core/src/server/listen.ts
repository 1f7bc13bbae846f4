import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { own } from '../errors/error-origin.js'
import { ErrorCode, RpcError } from '../errors/errors.js'

/** The server can't listen on the given port and host. `cause` is Node's error. */
export class RpcListenError extends RpcError {
  override get '~flashrpc'(): string {
    return 'RpcListenError'
  }

  constructor(message: string, options: ErrorOptions) {
    super(ErrorCode.listen, message, undefined, options)
    own(this)
  }
}

/**
 * Makes a server listen.
 *
 * @throws {RpcListenError} if the port is taken or forbidden, or is not a port.
 */
export async function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => {
        server.off('error', reject)
        // A connection could not be accepted. The server goes on with the others.
        server.on('error', () => {})
        resolve()
      })
    })
  } catch (cause) {
    throw new RpcListenError(`Can't listen on ${host}:${String(port)}: ${explain(cause)}`, {
      cause,
    })
  }
  return server.address() as AddressInfo
}

function explain(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return 'the port is in use. Choose another, or 0 for any free one'
  if (code === 'EACCES') return 'not permitted. Choose a port above 1023, or 0 for any free one'
  if (code === 'EADDRNOTAVAIL') return 'this machine has no such address. Choose another host'
  if (code === 'ERR_SOCKET_BAD_PORT') return 'a port is a number from 0 to 65535'
  return message
}
