import { asArgument } from './as-argument.js'
import type { RedisConnection } from './redis-connection.js'

/** It is called with each message, and its channel. */
export type BufferListener = (message: Buffer, channel: Buffer) => void

/** The part of a client of `redis` that is used. */
export interface NodeRedisLike {
  /** Whether it was told to connect. */
  readonly isOpen: boolean
  /** Whether commands go through. */
  readonly isReady: boolean
  /** Opens the connection. */
  connect(): Promise<unknown>
  /** Ends the connection at once. */
  destroy(): void
  /** Sends a command. */
  sendCommand(args: (string | Buffer)[]): Promise<unknown>
  /** Subscribes to channels. */
  subscribe(channels: string[], listener: BufferListener, bufferMode: true): Promise<unknown>
  /** Ends a subscription. */
  unsubscribe(channel: string, listener: BufferListener, bufferMode: true): Promise<unknown>
  /** Adds a listener. */
  // biome-ignore lint/suspicious/noExplicitAny: its events have arguments of their own
  on(event: string, listener: (...args: any[]) => void): unknown
  /** Removes a listener. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  off(event: string, listener: (...args: any[]) => void): unknown
}

export function isNodeRedis(client: unknown): client is NodeRedisLike {
  if (typeof client !== 'object' || client === null) return false
  const { sendCommand, isReady, isOpen } = client as Partial<NodeRedisLike>
  return (
    typeof sendCommand === 'function' && typeof isReady === 'boolean' && typeof isOpen === 'boolean'
  )
}

export function nodeRedisConnection(client: NodeRedisLike): RedisConnection {
  let isRenewed = false
  let onMessage: ((channel: string, payload: Uint8Array) => void) | undefined
  const listener: BufferListener = (message, channel) => {
    onMessage?.(channel.toString('latin1'), message)
  }
  return {
    get isReady() {
      return client.isReady
    },

    async open() {
      if (client.isReady) return
      await new Promise<void>((resolve, reject) => {
        const end = (settle: () => void) => {
          client.off('ready', ready)
          client.off('error', failed)
          settle()
        }
        const ready = () => end(resolve)
        const failed = (error: unknown) => end(() => reject(error))
        client.on('ready', ready)
        // The client goes on trying; it is the first failure that counts.
        client.on('error', failed)
        if (!client.isOpen) client.connect().catch(failed)
      })
    },

    command: (...args) => client.sendCommand(args.map(asArgument)),
    subscribe: (channels) => client.subscribe([...channels], listener, true),
    unsubscribe: (channel) => client.unsubscribe(channel, listener, true),

    renew() {
      // While it connects, what waits for that would be lost.
      if (!client.isReady) return
      isRenewed = true
      client.destroy()
      isRenewed = false
      // It goes on trying; what fails is told by its events.
      client.connect().catch(() => {})
    },

    follow({ message, ready, lost }) {
      onMessage = message
      const listeners = {
        ready,
        // Without a listener, an error would end the process.
        error: (error: Error) => {
          if (!client.isReady) lost(error.message || String(error))
        },
        reconnecting: () => lost('the connection was closed'),
        end: () => {
          if (!isRenewed) lost('the client has ended, and does not connect again')
        },
      }
      for (const [event, each] of Object.entries(listeners)) client.on(event, each)
      return () => {
        onMessage = undefined
        for (const [event, each] of Object.entries(listeners)) client.off(event, each)
      }
    },
  }
}
