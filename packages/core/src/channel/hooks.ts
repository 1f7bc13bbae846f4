import { describeClose } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'
import { describeWithStack, type Logger, log } from './logger.js'

/** What to do at the turns of a channel's life. Each hook is a list, run in its order. */
export interface ChannelHooks<Ch> {
  /**
   * The channel is ready for calls. Each is awaited before the next; calls of the other side are
   * served meanwhile. One that throws closes this channel only (1011).
   */
  onConnect?: readonly ((channel: Ch) => unknown)[]
  /** A connection that `onConnect` was told of has ended; its calls have been rejected. */
  onDisconnect?: readonly ((channel: Ch, reason: CloseInfo) => unknown)[]
  /**
   * Something failed that no caller on this side is told of: a handler threw, a notification broke
   * its schema, a frame could not be read.
   */
  onError?: readonly ((channel: Ch, error: unknown) => unknown)[]
}

/** Runs a channel's hooks, and logs what they are told of. */
export interface HookRunner {
  /** Resolves to whether all went well. */
  connect(): Promise<boolean>
  disconnect(reason: CloseInfo): void
  error(error: unknown): void
}

export function createHookRunner<Ch extends { readonly id: string }>(
  hooks: ChannelHooks<Ch> & { readonly logger?: Logger },
  channel: () => Ch,
): HookRunner {
  const { logger } = hooks
  let connected = false
  const error = (thrown: unknown): void => {
    log(logger, 'error', `channel ${channel().id}: ${describeWithStack(thrown)}`)
    for (const hook of hooks.onError ?? []) {
      // A failing onError has nobody left to tell; the other hooks still hear of the first failure.
      void (async () => hook(channel(), thrown))().catch(() => {})
    }
  }
  return {
    error,
    async connect() {
      connected = true
      log(logger, 'debug', `channel ${channel().id} is connected`)
      try {
        for (const hook of hooks.onConnect ?? []) await hook(channel())
        return true
      } catch (thrown) {
        error(thrown)
        return false
      }
    },
    disconnect(reason) {
      // A connection that went before it was ready was told to nobody.
      if (!connected) return
      connected = false
      log(logger, 'debug', `channel ${channel().id} is disconnected (${describeClose(reason)})`)
      for (const hook of hooks.onDisconnect ?? []) {
        void (async () => hook(channel(), reason))().catch(error)
      }
    },
  }
}
