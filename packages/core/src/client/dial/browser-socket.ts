import { RpcConfigError } from '../../errors/errors.js'
import { plain } from '../../errors/quoted.js'
import { type WebSocketLike, webSocketTransport } from '../../transport/web-socket.js'
import type { AssertSocketSettings, PrepareSocket, SocketSettings, TransportOf } from './socket.js'

const REMEDIES: Record<keyof SocketSettings, string> = {
  headers:
    'a WebSocket takes none outside Node. Put the token into the url, which may be a function, or let the browser send its cookies',
  proxy: 'outside Node the proxy is that of the browser, or the system. Leave it out',
  tls: 'outside Node the browser decides whom to trust. Leave it out',
  fastPath: 'outside Node there is one way only. Leave it out',
}

export const assertSocketSettings: AssertSocketSettings = (settings) => {
  for (const [name, remedy] of Object.entries(REMEDIES)) {
    if (settings[name as keyof SocketSettings] === undefined) continue
    throw new RpcConfigError(`${name} can't be set here: ${remedy}`)
  }
}

export const transportOf: TransportOf = webSocketTransport

/** The browser's WebSocket, or that of any other place with a global one. */
export const prepareSocket: PrepareSocket = async (url) => () => {
  const socket = new WebSocket(url)
  let message: unknown
  // Browsers give no reason, so that a page learns nothing about its network. Other platforms may give one.
  socket.addEventListener('error', (event) => {
    message = (event as { message?: unknown }).message
  })
  return {
    socket: socket as WebSocketLike,
    failure: () => ({
      remedy: remedy(url),
      ...(typeof message === 'string' && message !== '' && { message: plain(message) }),
    }),
  }
}

function remedy(url: string): string {
  const { origin, host } = globalThis.location ?? {}
  // A server accepts pages of its own host.
  if (typeof origin !== 'string' || host === new URL(url).host) return 'Is the server running?'
  return `Is the server running, and does it let pages of ${origin} in (allowedOrigins)?`
}
