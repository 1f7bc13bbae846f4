import type { RpcError } from '../errors/errors.js'
import type { FlowControl, FlowHost } from '../link/flow-control.js'
import type { Answer, MessageLink } from '../link/message-link.js'
import type { Encoded, Unsendable } from '../wire/encoded.js'
import type { ChannelContext } from './channel-context.js'
import type { EncodedCall, Outbox, Outgoing } from './outbox.js'
import type { PendingCallsHost } from './pending-calls.js'

/** A channel core, as its own parts see it. Features see less of it: a {@link ChannelContext}. */
export interface CoreContext extends ChannelContext, FlowHost, PendingCallsHost {
  readonly flow: FlowControl<Outbox>
  readonly flowIfAny: FlowControl<Outbox> | undefined
  /** A call or a notification was handed to the link. */
  written(call: EncodedCall, link: MessageLink): void
  /** A message can't be sent to this other side, and is dropped. */
  refused(outgoing: Outgoing, why: Unsendable | RpcError, link: MessageLink): void
  /** A call of this side was answered. */
  answer(answer: Answer): void
  /** An answer is ready to be sent. */
  reply(link: MessageLink, encoded: Encoded): void
  /** A name has got its first handler, or has lost its last. */
  handlersChanged(): void
}
