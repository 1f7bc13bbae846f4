import { listOf, type OptionKinds } from '../assert-options.js'
import { describeClose } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'
import { describeWithStack, type Logger, log } from './logger.js'

/** A function, or a list of functions. */
export type OneOrMore<T> = T | readonly T[]

/** What to do at the turns of a channel's life. Each hook is a function, or a list of them that is run in its order. */
export interface ChannelHooks<Ch> {
  /**
   * The channel is ready for calls. Each is awaited before the next; calls of the other side are
   * served meanwhile. One that throws closes this channel only (1011).
   */
  onConnect?: OneOrMore<(channel: Ch) => unknown>
  /** A connection that `onConnect` was told of has ended; its calls have been rejected. */
  onDisconnect?: OneOrMore<(channel: Ch, reason: CloseInfo) => unknown>
  /**
   * Something failed that no caller on this side is told of: a handler threw, a notification broke
   * its schema, a frame could not be read.
   */
  onError?: OneOrMore<(channel: Ch, error: unknown) => unknown>
}

export const CHANNEL_HOOKS = {
  onConnect: 'functions',
  onDisconnect: 'functions',
  onError: 'functions',
} as const satisfies OptionKinds<ChannelHooks<never>>

/** Runs the hooks of channels that have the same, and logs what these are told of. */
export class HookRunner<Ch extends { readonly id: string }> {
  readonly #hooks: ChannelHooks<Ch> & { readonly logger?: Logger }

  constructor(hooks: ChannelHooks<Ch> & { readonly logger?: Logger }) {
    this.#hooks = hooks
  }

  error(channel: Ch, thrown: unknown): void {
    const { logger, onError } = this.#hooks
    log(logger, 'error', `channel ${channel.id}: ${describeWithStack(thrown)}`)
    for (const hook of listOf(onError)) {
      // A failing onError has nobody left to tell; the other hooks still hear of the first failure.
      void (async () => hook(channel, thrown))().catch(() => {})
    }
  }

  /** Resolves to whether all went well. */
  async connect(channel: Ch): Promise<boolean> {
    const { logger, onConnect } = this.#hooks
    log(logger, 'debug', `channel ${channel.id} is connected`)
    try {
      for (const hook of listOf(onConnect)) await hook(channel)
      return true
    } catch (thrown) {
      this.error(channel, thrown)
      return false
    }
  }

  /** Only where {@link connect} was told: a connection that went before it was ready was told to nobody. */
  disconnect(channel: Ch, reason: CloseInfo): void {
    const { logger, onDisconnect } = this.#hooks
    log(logger, 'debug', `channel ${channel.id} is disconnected (${describeClose(reason)})`)
    for (const hook of listOf(onDisconnect)) {
      void (async () => hook(channel, reason))().catch((thrown) => this.error(channel, thrown))
    }
  }
}
