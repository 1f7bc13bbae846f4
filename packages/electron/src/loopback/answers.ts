import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { RejectUpgrade } from '@flashrpc/core/server'

/** The headers that belong to a status: RFC 9110, sections 11.6.1 and 10.2.1. */
const HEADERS: Readonly<Record<number, string>> = {
  401: 'WWW-Authenticate: Bearer\r\n',
  405: 'Allow: GET\r\n',
}

/** Refuses an upgrade: an HTTP answer of one line, and the socket's end. */
export function refuseUpgrade(socket: Duplex, { status, message }: RejectUpgrade): void {
  const body = `${message}\n`
  // A client that never closes its half would keep the socket, and so the server, for ever.
  socket.once('finish', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n` +
      'Connection: close\r\n' +
      'Content-Type: text/plain; charset=utf-8\r\n' +
      'X-Content-Type-Options: nosniff\r\n' +
      `Content-Length: ${Buffer.byteLength(body)}\r\n` +
      `${HEADERS[status] ?? ''}\r\n${body}`,
  )
}

/**
 * Answers a request that asks for no WebSocket: the status, in words. No CORS header ever, so that no
 * page of another origin can read even that; and nothing to tell this server from another.
 */
export function answerPlainRequest(response: ServerResponse, status: number): void {
  const body = `${STATUS_CODES[status]}\n`
  response.writeHead(status, {
    Connection: 'close, Upgrade',
    Upgrade: 'websocket',
    'Content-Type': 'text/plain; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
    'Content-Length': Buffer.byteLength(body),
  })
  response.end(body)
}
