import { type ErrorContext, IN_FRAME } from '../logging/error-context.js'
import type { Dialect, DialectContext, DialectTransport } from '../transport/dialect.js'
import { failedTransport } from '../transport/failed-transport.js'
import type { Transport } from '../transport/transport.js'
import type { ConnectionSettings } from './connection.js'

/** The channel that a dialect translates for. */
export interface TranslatedChannel {
  readonly id: string
  error(error: unknown, context: ErrorContext): void
}

/** @returns the dialect's transport; if it can't be made, one that fails when it is started. */
export function translatedTransport(
  transport: Transport,
  dialect: Dialect,
  { limits, format }: ConnectionSettings,
  side: DialectContext['side'],
  channel: TranslatedChannel,
): DialectTransport {
  try {
    return dialect.wrap(transport, {
      side,
      // Reading the id makes the channel, if it is not made yet.
      get channelId() {
        return channel.id
      },
      maxMessage: limits.message,
      frameType: format.frameType,
      error: (error) => channel.error(error, IN_FRAME),
    })
  } catch (thrown) {
    return failedTransport(transport, thrown)
  }
}
