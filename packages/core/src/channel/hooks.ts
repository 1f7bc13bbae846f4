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
export class HookRunner<Ch extends { readonly id: string }> {
  readonly #hooks: ChannelHooks<Ch> & { readonly logger?: Logger }
  readonly #channel: Ch
  #connected = false

  /** @param channel what they are told of; it may be under construction. */
  constructor(hooks: ChannelHooks<Ch> & { readonly logger?: Logger }, channel: Ch) {
    this.#hooks = hooks
    this.#channel = channel
  }

  readonly error = (thrown: unknown): void => {
    const { logger, onError = [] } = this.#hooks
    log(logger, 'error', `channel ${this.#channel.id}: ${describeWithStack(thrown)}`)
    for (const hook of onError) {
      // A failing onError has nobody left to tell; the other hooks still hear of the first failure.
      void (async () => hook(this.#channel, thrown))().catch(() => {})
    }
  }

  /** Resolves to whether all went well. */
  async connect(): Promise<boolean> {
    const { logger, onConnect = [] } = this.#hooks
    this.#connected = true
    log(logger, 'debug', `channel ${this.#channel.id} is connected`)
    try {
      for (const hook of onConnect) await hook(this.#channel)
      return true
    } catch (thrown) {
      this.error(thrown)
      return false
    }
  }

  disconnect(reason: CloseInfo): void {
    // A connection that went before it was ready was told to nobody.
    if (!this.#connected) return
    this.#connected = false
    const { logger, onDisconnect = [] } = this.#hooks
    log(logger, 'debug', `channel ${this.#channel.id} is disconnected (${describeClose(reason)})`)
    for (const hook of onDisconnect) {
      void (async () => hook(this.#channel, reason))().catch(this.error)
    }
  }
}
