import type { Contract, ContractSide, FlatSide, Side } from '../contract/contract.js'
import { flatSideOf } from '../contract/path.js'
import type { FlowControl } from '../link/flow-control.js'
import type { LinkEvents, MessageLink, OutgoingMessage } from '../link/message-link.js'
import type { PeerFacts } from '../link/peer-facts.js'
import type { ErrorContext } from '../logging/error-context.js'
import type { CloseInfo } from '../transport/transport.js'
import type { MessageId, NotificationMessage, ResponseMessage } from '../wire/message.js'
import type { Absence } from './absence.js'
import type { Refusal } from './call-errors.js'
import type { ResolvedChannelOptions } from './options.js'
import type { Outgoing } from './outbox.js'
import type { PendingCalls } from './pending-calls.js'
import type { Unsent } from './unsent.js'

/** The channel or client of a channel core: handlers find it as `context.channel`. */
export interface PublicChannel {
  readonly id: string
  /** The identity of the other side, as this side found out. */
  readonly identity?: unknown
  /** The owner of the connection, for limits that all clients share. */
  readonly owner?: string | undefined
}

/** The properties that all channels with the same options share. */
export interface ChannelShape {
  /** The side of the contract that this program has. */
  readonly side: Side
  /** The options, resolved. */
  readonly settings: ResolvedChannelOptions
  /** The methods that the contract gives this side; without a contract, every name may be a method. */
  readonly localSide: FlatSide | undefined
  /** The methods that the contract gives the other side. */
  readonly remoteSide: FlatSide | undefined
  /** The same methods in their groups. */
  readonly remoteGroups: ContractSide | undefined
  /** Whether the channel outlives its links: calls wait for the next link. Otherwise they end with the current one. */
  readonly outlivesLinks: boolean
}

/** The sides of a contract, from the point of view of the program on this side. */
export function sidesOf(
  contract: Contract | undefined,
  side: Side,
): Pick<ChannelShape, 'localSide' | 'remoteSide' | 'remoteGroups'> {
  const remoteGroups = contract?.[side === 'server' ? 'client' : 'server']
  return {
    localSide: flatSideOf(contract?.[side]),
    remoteSide: flatSideOf(remoteGroups),
    remoteGroups,
  }
}

/** A channel, as its features see it. */
export interface ChannelContext extends LinkEvents {
  readonly kind: ChannelShape
  /** The value of `channel` in handlers and middleware. */
  readonly publicChannel: PublicChannel
  /** The link that carries messages now. */
  readonly link: MessageLink | undefined
  /** Backpressure in both directions; made when it is first read. */
  readonly flow: FlowControl
  /** The same; undefined as long as nothing had to wait. */
  readonly flowIfAny: FlowControl | undefined
  /** What the other side accepts and understands, from its last hello. */
  readonly peer: PeerFacts
  /** Whether the other side may understand more than JSON-RPC 2.0. */
  readonly mayBeExtended: boolean
  /** The name of the other side's dialect, if it speaks one. */
  readonly dialect: string | undefined
  /** Why nothing can be sent, for now or for good. */
  readonly refusal: Refusal | undefined
  /** Describes the time without a connection; undefined while there is one. */
  readonly absence: Absence | undefined
  /** The calls that this side has made and that have not ended. */
  readonly calls: PendingCalls
  /** The state of a feature for this channel, made when it is first read. */
  stateOf<T>(key: object, make: () => T): T
  /** Like `stateOf`, but never makes the state. */
  stateIfAny<T>(key: object): T | undefined
  /**
   * Sends a call or a notification, or queues it.
   *
   * @throws {RpcOverloadedError} if no more messages may be queued.
   */
  send(outgoing: Outgoing): void
  /** Sends a control message about a call, in order. @returns why it can't be sent; undefined if it can. */
  sendControl(message: NotificationMessage): Unsent | undefined
  /** Reports a failure that the other side is not told about. */
  error(error: unknown, context: ErrorContext): void
  /** Called when the number of calls that wait or run may have changed. */
  change(): void
  /** The names of the methods that have a handler here. */
  readonly exposed: Iterable<string>
  /** Server: the methods that have a handler on the other side; set by the feature that is told them. */
  methodsThere: MethodsThere | undefined
  /** Set while this side is leaving: then it does not run calls that have not arrived yet. */
  leaving: Leaving | undefined
  /** The other side has confirmed that it knows that this side is leaving. */
  leavingConfirmed(): void
  /**
   * The other side is leaving. From now on calls wait for the next link, and so do the calls that it gives back.
   *
   * @param unreceived the messages that it will not run.
   * @param retryAfterMs how long this side must wait before it connects again, in ms.
   * @param confirm called when no further call is sent over this link.
   */
  giveBack(
    unreceived: readonly OutgoingMessage[],
    retryAfterMs: number | undefined,
    confirm: () => void,
  ): void
  /**
   * The link has ended, although there is a connection.
   *
   * @param unreceived the messages that the other side is known not to have received.
   */
  replaced(info: CloseInfo, unreceived: readonly OutgoingMessage[]): void
}

/** The methods that have a handler on the other side. */
export interface MethodsThere {
  /** All of them; undefined if the other side does not tell. */
  readonly all: ReadonlySet<string> | undefined
  /** @returns undefined if the other side does not tell. */
  has(method: string): boolean | undefined
  /** Calls a function on each change. @returns a function that removes the listener. */
  listen(listener: (methods: ReadonlySet<string>) => void): () => void
  /** The other side is gone. */
  end(): void
}

/** This side is leaving: it does not run calls that have not arrived yet. */
export interface Leaving {
  /** @returns the answer to a request; `unanswered` if its caller knows in another way that it was not run. */
  refuse(link: MessageLink, id: MessageId): ResponseMessage | 'unanswered'
  /** Whether the other side has not confirmed yet that it knows. */
  isUnconfirmed: boolean
}
