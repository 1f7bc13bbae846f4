import PartySocket from 'partysocket'
import PartyWebSocket from 'partysocket/ws'
import type { Options, UrlProvider } from 'reconnecting-websocket'
import * as reconnectingWebSocket from 'reconnecting-websocket'

type ReconnectingWebSocketClass = typeof import('reconnecting-websocket').default

/** The class, wherever the module system put it: to Node the package is CommonJS, to bundlers it has a second build. */
const ReconnectingWebSocket = ((reconnectingWebSocket as { default?: unknown }).default ??
  reconnectingWebSocket) as ReconnectingWebSocketClass

/** Libraries of sockets that reconnect by themselves, each with how to make one of an address, or of what says it. */
export const libraries = {
  'reconnecting-websocket': (url: UrlProvider, options?: Options) =>
    new ReconnectingWebSocket(url, undefined, options),
  'partysocket/ws': (url: UrlProvider, options?: Options) =>
    new PartyWebSocket(url, undefined, options),
}

/** A `PartySocket`, which makes its address of parts. */
export function partySocket(url: string, options?: Options): PartySocket {
  const { host, pathname } = new URL(url)
  return new PartySocket({ ...options, host, basePath: pathname.slice(1) })
}

export type LibraryName = keyof typeof libraries
export const libraryNames = Object.keys(libraries) as LibraryName[]
