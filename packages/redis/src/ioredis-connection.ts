import { asArgument } from './as-argument.js'
import type { RedisConnection } from './redis-connection.js'

/** The part of a client of `ioredis` that is used. */
export interface IoredisLike {
  /** The state of the connection, such as `ready`. */
  readonly status: string
  /** The options that it was made with. */
  readonly options?: {
    /** The prefix of each key and channel. */
    readonly keyPrefix?: string | undefined
    /** The server that a Sentinel is asked for: `master` or `slave`. */
    readonly role?: string | undefined
  }
  /** Opens the connection. */
  connect(): Promise<void>
  /** Cuts the connection; with `true`, the client connects again. */
  disconnect(reconnect?: boolean): void
  /** Sends a command. */
  call(command: string, ...args: (string | Buffer)[]): Promise<unknown>
  /** Subscribes to channels. */
  subscribe(...channels: string[]): Promise<unknown>
  /** Ends subscriptions. */
  unsubscribe(...channels: string[]): Promise<unknown>
  /** Adds a listener. */
  // biome-ignore lint/suspicious/noExplicitAny: its events have arguments of their own
  on(event: string, listener: (...args: any[]) => void): unknown
  /** Removes a listener. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  off(event: string, listener: (...args: any[]) => void): unknown
}

export function isIoredis(client: unknown): client is IoredisLike {
  if (typeof client !== 'object' || client === null) return false
  const { call, status } = client as Partial<IoredisLike>
  return typeof call === 'function' && typeof status === 'string'
}

export function ioredisConnection(client: IoredisLike): RedisConnection {
  return {
    get isReady() {
      return client.status === 'ready'
    },

    async open() {
      if (client.status === 'ready') return
      await new Promise<void>((resolve, reject) => {
        const end = (settle: () => void) => {
          client.off('ready', ready)
          client.off('error', failed)
          client.off('end', ended)
          settle()
        }
        const ready = () => end(resolve)
        const failed = (error: unknown) => end(() => reject(error))
        const ended = () => failed(new Error('the client has ended'))
        client.on('ready', ready)
        // The client goes on trying; it is the first failure that counts.
        client.on('error', failed)
        client.on('end', ended)
        // It connects by itself, unless it is lazy, or has ended.
        if (client.status === 'wait' || client.status === 'end') client.connect().catch(failed)
      })
    },

    // Version 5 knows which commands a subscriber may use by their names in small letters.
    command: (name, ...args) => {
      return client.call(String(name).toLowerCase(), ...args.map(asArgument))
    },
    subscribe: (channels) => client.subscribe(...channels),
    unsubscribe: (channel) => client.unsubscribe(channel),

    renew() {
      // While it connects, it ends if it is cut.
      if (client.status === 'ready' || client.status === 'connect') client.disconnect(true)
    },

    follow({ message, ready, lost }) {
      const closed = 'the connection was closed'
      let why = closed
      const listeners = {
        messageBuffer: (channel: Buffer, payload: Buffer) => {
          message(channel.toString('latin1'), payload)
        },
        ready: () => {
          why = closed
          ready()
        },
        // Without a listener, the client prints each error.
        error: (error: Error) => {
          why = error.message || String(error)
        },
        close: () => lost(why),
        end: () => lost('the client has ended, and does not connect again'),
      }
      for (const [event, listener] of Object.entries(listeners)) client.on(event, listener)
      return () => {
        for (const [event, listener] of Object.entries(listeners)) client.off(event, listener)
      }
    },
  }
}
