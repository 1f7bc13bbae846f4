import { prepareSocket, transportOf } from '#socket'
import { describeThrown } from '../../errors/errors.js'
import type { Transport } from '../../transport/transport.js'
import type { WebSocketLike } from '../../transport/web-socket.js'
import type { Attempt } from './attempt.js'
import { DialError, type Dialer } from './dialer.js'
import type { OpeningSocket, SocketSettings } from './socket.js'
import { assertWebSocketUrl, type UrlSource, withoutSecrets } from './url.js'

export interface WebSocketDialerOptions extends SocketSettings {
  readonly url: UrlSource
  /** The largest frame that is accepted, in bytes, if the socket itself can enforce it. */
  readonly maxMessage: number
}

/** How long a socket may take over its closing handshake, in ms. */
const CLOSE_MS = 1_000

/**
 * Opens WebSockets. Each attempt first asks for the address and the headers. This may take as long as the rest of the
 * attempt, in which the socket opens and the hello is answered.
 */
export class WebSocketDialer implements Dialer {
  readonly canRefresh: boolean
  readonly #options: WebSocketDialerOptions
  /** Sockets that are not closed on the wire yet, each with the function that ends it. */
  readonly #sockets = new Map<WebSocketLike, () => Promise<void>>()

  constructor(options: WebSocketDialerOptions) {
    this.#options = options
    this.canRefresh = typeof options.url === 'function' || typeof options.headers === 'function'
  }

  async dial(attempt: Attempt): Promise<Transport> {
    const { url: urlSource, headers: headersSource, ...rest } = this.#options
    const [url, headers] = await Promise.all([
      typeof urlSource === 'function'
        ? ask('url', urlSource, assertWebSocketUrl, attempt)
        : urlSource,
      typeof headersSource === 'function'
        ? ask('headers', headersSource, assertReturned, attempt)
        : headersSource,
    ])
    const open = await attempt.unlessGivenUp(() => prepareSocket(url, { ...rest, headers }))
    attempt.restart()
    try {
      return transportOf(await this.#opened(open(), attempt))
    } catch (thrown) {
      const failure =
        thrown instanceof DialError
          ? thrown.failure
          : { message: describeThrown(thrown), closeCode: 1006, cause: thrown }
      throw new DialError({ ...failure, where: withoutSecrets(url) })
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sockets.values()].map((end) => end()))
  }

  #opened(
    { socket, proxy, failure }: OpeningSocket,
    { signal, timeoutMs }: Attempt,
  ): Promise<WebSocketLike> {
    return new Promise((resolve, reject) => {
      const drop = () => (socket.terminate ? socket.terminate() : socket.close())
      const onAbort = () => {
        drop()
        const through = proxy === undefined ? '' : `, through the proxy ${proxy}`
        const message = `no connection within ${timeoutMs} ms${through}`
        reject(new DialError({ message, closeCode: 1006, remedy: 'Is the server running?' }))
      }
      signal.addEventListener('abort', onAbort)
      let isOpen = false
      const closed = new Promise<void>((isClosed) => {
        socket.addEventListener('close', ({ code, reason }) => {
          isClosed()
          this.#sockets.delete(socket)
          if (isOpen) return
          signal.removeEventListener('abort', onAbort)
          const message = reason || 'the connection could not be opened'
          reject(new DialError({ message, closeCode: code, ...failure() }))
        })
      })
      socket.addEventListener('error', () => {})
      socket.addEventListener('open', () => {
        isOpen = true
        signal.removeEventListener('abort', onAbort)
        resolve(socket)
      })
      this.#sockets.set(socket, () => endWithin(CLOSE_MS, socket, closed, drop))
    })
  }
}

/** Closes a socket, and drops it if its closing handshake takes too long. */
async function endWithin(
  ms: number,
  socket: WebSocketLike,
  closed: Promise<void>,
  drop: () => void,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  socket.close()
  await Promise.race([closed, late.then(drop)])
  clearTimeout(timer)
}

/** Asks the application. @throws {DialError} if the application's function fails, or takes too long. */
async function ask<T>(
  name: string,
  source: () => T | Promise<T>,
  assert: (value: T) => T,
  attempt: Attempt,
): Promise<T> {
  try {
    return assert(await attempt.unlessGivenUp(source))
  } catch (thrown) {
    const { isLate, timeoutMs } = attempt
    const cause = isLate ? new Error(`no answer within ${timeoutMs} ms`) : thrown
    const message = `asking for the ${name} failed: ${describeThrown(cause)}`
    throw new DialError({ message, closeCode: 1006, cause })
  }
}

function assertReturned<T>(value: T): T {
  if (value === undefined) throw new Error('the function returned nothing')
  return value
}
