import type { ChannelContext } from '../calls/channel-context.js'
import type { FeatureTable, KeptLink } from '../calls/feature.js'
import { ClientHandshake } from '../link/client-handshake.js'
import type { Transport } from '../transport/transport.js'

/** What a client's hello says on one connection, besides what the options say. */
export interface ClientHelloOptions {
  /** The number of this connection among the client's, from 1. */
  readonly attempt: number
  /** The link that goes on over many connections; undefined if there is none. */
  readonly keptLink?: KeptLink | undefined
  /** Whether the other side is known to be a plain peer. */
  readonly isPlain: boolean
  /** The time that is left for the handshake, in ms. */
  readonly timeLeftMs: number
}

/** Makes the handshake of a client on one connection. */
export function clientHandshake(
  channel: ChannelContext,
  features: FeatureTable,
  transport: Transport,
  { attempt, keptLink, isPlain, timeLeftMs }: ClientHelloOptions,
): ClientHandshake {
  const { limits, helloTimeoutMs } = channel.kind.settings
  const { message: msg, batch, depth } = limits
  const { buf, ...offer } = keptLink?.offer(transport) ?? {}
  const hello = {
    id: channel.publicChannel.id,
    attempt,
    ...Object.assign({}, ...features.all.map((feature) => feature.hello?.(channel))),
    ...offer,
    limits: { msg, batch, depth, ...(buf !== undefined && { buf }) },
  }
  return new ClientHandshake(hello, isPlain, timeLeftMs, helloTimeoutMs)
}
