import { assertSocketSettings } from '#socket'
import { assertMs } from '../errors/assert-number.js'
import { RpcConfigError } from '../errors/errors.js'
import type { NearestName } from '../errors/nearest.js'
import { resolveLimits } from '../link/limits.js'
import type { ClientSettings, ClientTarget } from './client-options.js'
import { resolveRetryOptions } from './dial/backoff.js'
import type { Connector, ConnectorEvents } from './dial/connector.js'
import { Reconnector } from './dial/reconnector.js'
import type { SocketSettings } from './dial/socket.js'
import { transportDialer } from './dial/transport-dialer.js'
import { assertWebSocketUrl, type UrlSource } from './dial/url.js'
import { WebSocketDialer } from './dial/web-socket-dialer.js'

/**
 * @param nearest finds the option that was probably meant; without it, an error lists the options.
 * @returns a function that makes the connectors of a client to its target.
 * @throws {RpcConfigError} if the options name no target, or two, or a wrong one.
 */
export function connectorFactory(
  options: ClientTarget & ClientSettings,
  nearest: NearestName | undefined,
): (events: ConnectorEvents) => Connector {
  const { url, share, transport, socket, connectTimeoutMs = 10_000 } = options
  const retry = resolveRetryOptions(options.retry, nearest)
  assertMs('connectTimeoutMs', connectTimeoutMs)
  const loop = { retry, connectTimeoutMs }
  const targets = Object.keys(picked(options, TARGETS))
  if (targets.length === 0) {
    throw new RpcConfigError(
      'url is missing: give the client one, such as "ws://localhost:8000/ws", or a transport, or a socket',
    )
  }
  if (targets.length > 1) {
    throw new RpcConfigError(
      `A client needs one of url, transport and socket, and not both ${targets[0]} and ${targets[1]}`,
    )
  }
  if (share !== undefined && (url === undefined || typeof share?.createConnector !== 'function')) {
    throw new RpcConfigError(
      'share is only for a client with a url, and must be made by betweenTabs() of @flashrpc/core/tabs',
    )
  }
  const settings: SocketSettings = picked(options, SOCKET_SETTINGS)
  const [setting] = Object.keys(settings)
  if (url === undefined && setting !== undefined) {
    throw new RpcConfigError(
      `${setting} is only for a client with a url. With a ${targets[0]}, leave it out`,
    )
  }
  if (transport !== undefined) {
    if (typeof transport !== 'function') {
      throw new RpcConfigError('transport must be a function that makes a connection')
    }
    return (events) => new Reconnector(transportDialer(transport), loop, events)
  }
  if (socket !== undefined) {
    if (typeof socket?.createConnector !== 'function') {
      throw new RpcConfigError(
        'socket must be made by fromReconnectingWebSocket() of @flashrpc/core/reconnecting-websocket',
      )
    }
    if (options.retry !== undefined) {
      throw new RpcConfigError(
        'retry is only for a client with a url or a transport. A socket connects again by itself: leave retry out',
      )
    }
    return (events) => socket.createConnector(loop, events)
  }
  if (typeof url !== 'function') assertWebSocketUrl(url)
  assertSocketSettings(settings)
  const maxMessage = resolveLimits(options.limits, nearest).message
  const target = { ...settings, url: url as UrlSource, maxMessage }
  const createOwn = (events: ConnectorEvents) =>
    new Reconnector(new WebSocketDialer(target), loop, events)
  if (!share) return createOwn
  const shared = { ...loop, url: target.url, logger: options.logger }
  return (events) => {
    const own = () => createOwn(events)
    return share.createConnector(shared, events, own) ?? own()
  }
}

const TARGETS = ['url', 'transport', 'socket'] as const
const SOCKET_SETTINGS = ['headers', 'proxy', 'tls', 'fastPath'] as const

/** Some of the options, without those that are undefined. */
function picked<Options, Name extends keyof Options>(
  options: Options,
  names: readonly Name[],
): Partial<Pick<Options, Name>> {
  const given = names.filter((name) => options[name] !== undefined)
  return Object.fromEntries(given.map((name) => [name, options[name]])) as Partial<
    Pick<Options, Name>
  >
}
