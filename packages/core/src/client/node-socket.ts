import { WebSocket } from 'ws'
import type { WebSocketLike } from '../transport/web-socket.js'
import type { Failure } from './retry.js'
import type { OpenSocket } from './socket.js'

/** Node's WebSocket: `ws`, which tells why an upgrade was refused. */
export const openSocket: OpenSocket = (url, { maxMessage }) => {
  let failure: Partial<Failure> = {}
  // Compression costs far more than it saves on small messages, and invites bombs.
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: maxMessage })
  socket.on('error', (error) => {
    failure = { message: errorText(error), cause: error, ...failure }
  })
  socket.on('unexpected-response', (request, response) => {
    const { statusCode, statusMessage, headers } = response
    failure = {
      message: `the server answered HTTP ${statusCode} ${statusMessage ?? ''}`.trim(),
      httpStatus: statusCode,
      retryAfterMs: retryAfterMs(headers['retry-after']),
    }
    response.destroy()
    request.destroy()
    socket.terminate()
  })
  return { socket: socket as unknown as WebSocketLike, failure: () => failure }
}

/** An error over several addresses (`localhost`) has no message of its own. */
function errorText(error: Error): string {
  if (error.message) return error.message
  return error instanceof AggregateError ? error.errors.map(String).join('; ') : error.name
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const seconds = Number(header)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now()
  return ms > 0 ? ms : undefined
}
