import { listOf, type OptionKinds } from '../errors/options.js'
import { describeFailure } from '../logging/describe-failure.js'
import { type ErrorContext, hookContext, OF_CONNECTION } from '../logging/error-context.js'
import { type Logger, type LoggerOption, type LogTarget, logTo } from '../logging/logger.js'
import { CloseCode, describeClose, intendedCode } from '../transport/close-codes.js'
import type { CloseInfo } from '../transport/transport.js'
import type { Diagnostics } from './diagnostics.js'

/** A function, or an array of functions. */
export type OneOrMore<T> = T | readonly T[]

/** Hooks for the events of a channel. Each hook is a function, or an array of functions, which run in this order. */
export interface ChannelHooks<Ch> {
  /**
   * The channel is ready for calls. Each function is awaited before the next; calls of the other side are served
   * meanwhile. If one throws, only this channel is closed (1011).
   */
  onConnect?: OneOrMore<(channel: Ch) => unknown>
  /** A connection has ended for which `onConnect` was called; its calls have been rejected. */
  onDisconnect?: OneOrMore<(channel: Ch, reason: CloseInfo) => unknown>
  /**
   * Something failed that no caller on this side learns of: a handler threw, a notification broke its schema, a frame
   * could not be read. The context tells where: the method, its kind, its direction, its id and the phase. If a hook
   * throws, the error goes to the logger.
   */
  onError?: OneOrMore<(channel: Ch, error: unknown, context: ErrorContext) => unknown>
}

export const CHANNEL_HOOKS = {
  onConnect: 'functions',
  onDisconnect: 'functions',
  onError: 'functions',
} as const satisfies OptionKinds<ChannelHooks<never>>

/**
 * Close codes for something wrong with the data that was sent: those of RFC 6455, section 7.4.1, for the protocol, the
 * type, the text, the policy and the size, and those of this library.
 */
const UNUSUAL: ReadonlySet<number> = new Set([
  1002,
  1003,
  1007,
  1008,
  CloseCode.tooBig,
  CloseCode.tryAgainLater,
  CloseCode.violation,
  CloseCode.tooMany,
])

/** Runs the hooks of channels that have the same hooks, and logs their events. */
export class HookRunner<Ch extends { readonly id: string }> {
  readonly #hooks: ChannelHooks<Ch>
  readonly #target: LogTarget

  /** @param diagnostics has the printer that is used without a logger. */
  constructor(
    hooks: ChannelHooks<Ch> & { readonly logger?: LoggerOption },
    diagnostics: Diagnostics | undefined,
  ) {
    this.#hooks = hooks
    this.#target = { logger: hooks.logger, printer: diagnostics?.printer }
  }

  /** Logs an event. @param text a text, or a function that makes it, which is called only if it is logged. */
  log(
    level: keyof Logger,
    text: string | (() => string),
    context?: ErrorContext,
    id?: string,
  ): void {
    logTo(this.#target, level, text, context, id)
  }

  error(channel: Ch, thrown: unknown, context: ErrorContext): void {
    this.#logFailure(channel, thrown, context)
    for (const hook of listOf(this.#hooks.onError)) {
      // The other hooks are still called with the first failure.
      void (async () => hook(channel, thrown, context))().catch((failure) =>
        this.#logFailure(channel, failure, hookContext('onError')),
      )
    }
  }

  #logFailure({ id }: Ch, thrown: unknown, context: ErrorContext): void {
    logTo(this.#target, 'error', () => describeFailure(thrown, context), context, id)
  }

  /** Resolves to true if no hook failed. */
  async connect(channel: Ch): Promise<boolean> {
    const { onConnect } = this.#hooks
    this.log('debug', `channel ${channel.id} is connected`)
    try {
      for (const hook of listOf(onConnect)) await hook(channel)
      return true
    } catch (thrown) {
      this.error(channel, thrown, hookContext('onConnect'))
      return false
    }
  }

  /** A connection has ended, for whatever reason. */
  down(channel: Ch, reason: CloseInfo): void {
    if (!UNUSUAL.has(intendedCode(reason.code))) return
    const text = `the connection ended (${describeClose(reason)})`
    this.log('warn', text, OF_CONNECTION, channel.id)
  }

  /** Call it only after {@link connect}: a connection that ended before it was ready was not reported. */
  disconnect(channel: Ch, reason: CloseInfo): void {
    const { onDisconnect } = this.#hooks
    this.log('debug', `channel ${channel.id} is disconnected (${describeClose(reason)})`)
    for (const hook of listOf(onDisconnect)) {
      void (async () => hook(channel, reason))().catch((thrown) =>
        this.error(channel, thrown, hookContext('onDisconnect')),
      )
    }
  }
}
