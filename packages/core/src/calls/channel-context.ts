import type { Contract, ContractSide, Side } from '../contract/contract.js'
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

/** Whose a conversation is: what handlers find as `context.channel`, and `context.identity`. */
export interface Owner {
  readonly id: string
  /** Who the other side is, as this side found out. */
  readonly identity?: unknown
  /** The owner of the connection, for limits that all clients share. */
  readonly owner?: string | undefined
}

/** What channels have in common that are made alike. */
export interface ChannelShape {
  /** The part that this program plays in the contract. */
  readonly side: Side
  /** The options, resolved. */
  readonly settings: ResolvedChannelOptions
  /** The methods the contract gives this side; without a contract, every name can be a method's. */
  readonly localSide: ContractSide | undefined
  /** The methods the contract gives the other side. */
  readonly remoteSide: ContractSide | undefined
  /** Whether calls wait for a link that is to come. Otherwise they end with the one there is. */
  readonly isLasting: boolean
}

/** The sides of a contract, as a program sees them that plays this part. */
export function sidesOf(
  contract: Contract | undefined,
  side: Side,
): Pick<ChannelShape, 'localSide' | 'remoteSide'> {
  const other = side === 'server' ? 'client' : 'server'
  return { localSide: contract?.[side], remoteSide: contract?.[other] }
}

/** A channel, as its parts and its features use it. */
export interface ChannelContext extends LinkEvents {
  readonly kind: ChannelShape
  /** What handlers and middleware find as `channel`. */
  readonly owner: Owner
  /** What messages go over now. */
  readonly link: MessageLink | undefined
  /** What the other side accepts and understands, by its last hello. */
  readonly peer: PeerFacts
  /** Whether the other side may understand more than JSON-RPC 2.0. */
  readonly mayBeExtended: boolean
  /** The name of what the other side speaks, if it is a dialect. */
  readonly dialect: string | undefined
  /** Why nothing is sent any more, for now or for good. */
  readonly refusal: Refusal | undefined
  /** What is known of the time without a connection; undefined while there is one. */
  readonly absence: Absence | undefined
  /** The calls that this side has made and that have not ended. */
  readonly calls: PendingCalls
  /** What a feature keeps for this channel, made when it is first asked for. */
  stateOf<T>(key: object, make: () => T): T
  /** As `stateOf`, of what is there already. */
  stateIfAny<T>(key: object): T | undefined
  /**
   * Sends a call or a notification, or lets it wait.
   *
   * @throws {RpcOverloadedError} if no more may wait.
   */
  send(outgoing: Outgoing): void
  /** Sends a control message about a call, in order. @returns why it can't be sent; undefined if it can. */
  say(message: NotificationMessage): Unsent | undefined
  /** @returns resolves when there may be room for a message that can wait; `undefined` if there is now. */
  whenRoomy(): Promise<void> | undefined
  /** Tells of a failure that nothing tells the other side about. */
  error(error: unknown, context: ErrorContext): void
  /** How many calls wait, or run, may have changed. */
  change(): void
  /** The names of the methods that have a handler here. */
  readonly exposed: Iterable<string>
  /** Server: the client has said which of its methods have a handler now. */
  exposes(names: readonly string[]): void
  /** From now on this side runs no call any more that has not come yet. */
  leave(leaving: Leaving): void
  /** The other side knows that this one leaves. */
  leavingHeard(): void
  /**
   * The other side leaves: calls wait for the next link from now on, and those that it gives back do, too.
   *
   * @param unreceived what it will not run.
   * @param retryAfterMs how long it asks to be left alone, in ms.
   * @param confirm called when no further call is sent over this link.
   */
  giveBack(
    unreceived: readonly OutgoingMessage[],
    retryAfterMs: number | undefined,
    confirm: () => void,
  ): void
  /**
   * The link is over, although a connection is there.
   *
   * @param unreceived what the other side is known not to have received.
   */
  replaced(info: CloseInfo, unreceived: readonly OutgoingMessage[]): void
}

/** This side leaves: it runs no call any more that has not come yet. */
export interface Leaving {
  /** @returns what a request is answered with; `unanswered` if its caller knows by other means. */
  refuse(link: MessageLink, id: MessageId): ResponseMessage | 'unanswered'
  /** Whether the other side has not said that it knows. */
  isUnheard: boolean
}
