import { Attempt } from '../client/dial/attempt.js'
import { describeThrown, RpcConfigError } from '../errors/errors.js'
import { CloseCode } from '../transport/close-codes.js'
import { OPEN } from '../transport/web-socket.js'
import {
  assertReconnectingWebSocket,
  type PrivateMembers,
  type ReconnectingWebSocketLike,
} from './reconnecting-websocket-like.js'

/** How a connection of the socket ended, or an attempt of it. */
export interface SocketEnd {
  /** The close code; 1006 after an error, for which the library reports 1000. */
  readonly code: number
  readonly reason: string
  /** The message of an error. */
  readonly error?: string | undefined
}

/** The events of a socket, for the connector that uses it. */
export interface SocketUser {
  /** How long its url provider may take, in ms. */
  readonly connectTimeoutMs: number
  /** The socket begins an attempt. */
  attempting(): void
  opened(): void
  received(data: unknown): void
  /** @param goesOn whether it makes another attempt by itself. */
  ended(end: SocketEnd, goesOn: boolean): void
  /** The application called its `close()`. */
  closed(): void
}

const CLOSING = 2

/**
 * A reconnecting WebSocket that a client uses, and its state.
 *
 * Its public members `send`, `close` and `reconnect` are replaced, so that only the client sends through it and its
 * queue stays empty, and so that the client learns of calls of the application that have no event. Members that are
 * private are used to work around faults of `reconnecting-websocket` 4.4.0:
 *
 * - A url provider that rejects, or gives no address, locks it for ever. Here such an attempt fails, and it makes the
 *   next one.
 * - `close()` while it waits or asks locks it for ever, and so does the last attempt of `maxRetries`. Here it is
 *   unlocked.
 * - `reconnect()` does nothing while it waits or asks. Here that ends then.
 * - When it abandons a socket that is not open yet, also because that took too long, it removes its listener for
 *   errors, and an error then ends a Node process. Here the error has a listener.
 * - After an error it reports that the socket was closed with 1000. Here that is 1006.
 *
 * A version without these members works, with its own faults.
 */
export class AdoptedSocket {
  /** Whether another attempt may bring other credentials. */
  readonly canRefresh: boolean
  readonly #socket: ReconnectingWebSocketLike & PrivateMembers
  readonly #send: (data: unknown) => unknown
  readonly #close: (code?: number, reason?: string) => void
  readonly #reconnect: (code?: number, reason?: string) => void
  #user: SocketUser | undefined
  #isClosed: boolean
  /** Whether it waits before an attempt, or asks for the address; `undefined` if that can't be known. */
  #isPreparing: boolean | undefined
  /** Ends the delay before an attempt. */
  #endDelay: () => void = () => {}
  /** An attempt that asks for its address. */
  #asking: Attempt | undefined
  /** How the last socket ended, until that is told: an error and a close that belong together come one after the other. */
  #end: { code?: unknown; reason?: unknown; error?: unknown } | undefined
  #whenClosed: (() => void)[] = []

  /** @throws {RpcConfigError} if it is not such a socket, or messages wait in its queue. */
  constructor(socket: ReconnectingWebSocketLike & PrivateMembers) {
    assertReconnectingWebSocket(socket)
    if (socket.readyState !== OPEN && socket.bufferedAmount > 0) {
      throw new RpcConfigError(
        'The ReconnectingWebSocket has messages in its queue, which would be sent ahead of the client. Hand it over as soon as it is made, and send nothing through it',
      )
    }
    this.#socket = socket
    this.#send = socket.send.bind(socket)
    this.#close = socket.close.bind(socket)
    this.#reconnect = socket.reconnect.bind(socket)
    this.#isClosed = socket._shouldReconnect === false
    this.#isPreparing = socket._connectLock && !hasGivenUp(socket)
    this.canRefresh = typeof socket._url !== 'string'
    this.#replaceMembers(socket)
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('open', () => this.#opened())
    socket.addEventListener('message', ({ data }) => this.#user?.received(data))
    socket.addEventListener('close', ({ code, reason }) => this.#note({ code, reason }))
    socket.addEventListener('error', ({ message, error }) => {
      this.#note({ error: message || (error === undefined ? '' : describeThrown(error)) })
    })
  }

  get readyState(): number {
    return this.#isClosed ? CLOSING : this.#socket.readyState
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount
  }

  get url(): string {
    return this.#socket.url
  }

  /** @returns whether the user has it from now on; false if another one has it. */
  take(user: SocketUser): boolean {
    if (this.#user) return false
    this.#user = user
    return true
  }

  /** @returns whether it was the user's, which has finished with it. */
  release(user: SocketUser): boolean {
    if (this.#user !== user) return false
    this.#user = undefined
    return true
  }

  /** Connects, if it does not already. */
  begin(): void {
    const { readyState } = this.#socket
    if (this.#isClosed || readyState >= CLOSING) this.reconnect()
    else if (readyState === OPEN) this.#user?.opened()
  }

  /** Sends at once: only while it is open. */
  send(data: unknown): void {
    this.#send(data)
  }

  /** Closes it, so that it does not connect again by itself. */
  close(code?: number, reason?: string): void {
    this.#isClosed = true
    this.#close(code, reason)
    this.#endPreparing('The socket was closed')
  }

  /** Attempts to connect at once. An attempt that runs is cancelled, and its end is not reported. */
  reconnect(): void {
    this.#open(CloseCode.timedOut, 'The client makes another attempt')
    this.#end = undefined
    this.#endPreparing('The client makes another attempt')
  }

  /** Resolves when it is closed on the wire, or after a time in ms. */
  async closed(withinMs: number): Promise<void> {
    if (this.#socket.readyState !== CLOSING) return
    let timer: ReturnType<typeof setTimeout> | undefined
    await new Promise<void>((resolve) => {
      this.#whenClosed.push(resolve)
      timer = setTimeout(resolve, withinMs)
    })
    clearTimeout(timer)
  }

  #replaceMembers(socket: ReconnectingWebSocketLike & PrivateMembers): void {
    socket.send = () => {
      throw new RpcConfigError(
        'This ReconnectingWebSocket is used by a flashrpc client, and cannot send other messages. Call the methods of the client, or open another socket',
      )
    }
    socket.close = (code, reason) => {
      this.close(code, reason)
      this.#user?.closed()
    }
    // Its own code would end the session.
    socket.reconnect = (code = CloseCode.timedOut, reason = 'The application reconnects') => {
      this.#open(code, reason)
    }
    const wait = socket._wait?.bind(socket)
    if (wait) socket._wait = () => this.#waited(wait())
    const ask = socket._getNextUrl?.bind(socket)
    if (ask) socket._getNextUrl = (provider) => this.#asked(() => ask(provider))
    const removeListeners = socket._removeListeners?.bind(socket)
    if (removeListeners) {
      socket._removeListeners = () => {
        removeListeners()
        socket._ws?.addEventListener('error', () => {})
      }
    }
  }

  #open(code: number, reason: string): void {
    this.#isClosed = false
    if (this.#isPreparing === false) this.#socket._connectLock = false
    this.#reconnect(code, reason)
  }

  #opened(): void {
    if (this.#isPreparing) this.#isPreparing = false
    this.#user?.opened()
  }

  #endPreparing(reason: string): void {
    this.#endDelay()
    this.#asking?.giveUp(reason)
  }

  // ── One attempt ───────────────────────────────────────────────────────────────────────────────

  async #waited(delay: Promise<void>): Promise<void> {
    this.#isPreparing = true
    await new Promise<void>((resolve) => {
      this.#endDelay = resolve
      void delay.then(resolve)
    })
    if (this.#isClosed) return this.#giveUp()
    this.#user?.attempting()
  }

  async #asked(ask: () => Promise<string>): Promise<string> {
    let url: string | undefined
    while (url === undefined && !this.#isClosed) {
      const attempt = new Attempt(this.#user?.connectTimeoutMs ?? 10_000)
      this.#asking = attempt
      try {
        url = assertAddress(await attempt.unlessGivenUp(ask))
      } catch (thrown) {
        // Given up for another one.
        if (attempt.signal.aborted && !attempt.isLate) continue
        const why = attempt.isLate
          ? `no answer within ${attempt.timeoutMs} ms`
          : describeThrown(thrown)
        return this.#failed(`asking for the url failed: ${why}`)
      } finally {
        attempt.stopTimer()
        this.#asking = undefined
      }
    }
    if (url === undefined || this.#isClosed) return this.#giveUp()
    this.#isPreparing = false
    return url
  }

  /** An attempt without an address; the next one is begun, as after any other that fails. */
  #failed(error: string): Promise<never> {
    const given = this.#giveUp()
    this.#note({ error })
    if (!this.#isClosed) this.#socket._connect?.()
    return given
  }

  /** An attempt that makes no socket: it never ends, and holds the lock no longer. */
  #giveUp(): Promise<never> {
    this.#isPreparing = false
    this.#socket._connectLock = false
    return new Promise(() => {})
  }

  // ── Its end ───────────────────────────────────────────────────────────────────────────────────

  #note(part: { code?: unknown; reason?: unknown; error?: unknown }): void {
    for (const resolve of this.#whenClosed.splice(0)) resolve()
    if (!this.#end) queueMicrotask(() => this.#tellEnd())
    this.#end = { ...this.#end, ...part }
  }

  #tellEnd(): void {
    if (!this.#end) return
    const { code, reason, error } = this.#end
    this.#end = undefined
    const isError = error !== undefined || typeof code !== 'number'
    const end: SocketEnd = {
      code: isError ? 1006 : code,
      reason: typeof reason === 'string' ? reason : '',
      error: typeof error === 'string' ? error : undefined,
    }
    this.#user?.ended(end, !this.#isClosed && this.#isPreparing !== false)
  }
}

/** Whether it has made all attempts that its options allow. */
function hasGivenUp({
  readyState,
  retryCount,
  _options,
}: ReconnectingWebSocketLike & PrivateMembers) {
  return readyState >= CLOSING && retryCount >= (_options?.maxRetries ?? Number.POSITIVE_INFINITY)
}

function assertAddress(url: unknown): string {
  try {
    new URL(url as string, globalThis.location?.href)
  } catch {
    throw new Error(`${JSON.stringify(url)} is not a valid address`)
  }
  return url as string
}
