import { EMPTY_SET, ownSet } from '../../base/empty.js'
import type { ChannelContext } from '../../calls/channel-context.js'
import { controlMessage, readId } from '../../calls/control-message.js'
import type { Source } from '../../calls/functions.js'
import { IdTable } from '../../calls/id-table.js'
import { unsentError, unsentErrorForCaller } from '../../calls/unsent.js'
import { ErrorCode, RpcError } from '../../errors/errors.js'
import { quoted } from '../../errors/quoted.js'
import { type ErrorPhase, incomingContext } from '../../logging/error-context.js'
import type { MessageId } from '../../wire/message.js'
import { BEFORE_ITEM, type GuardedSource } from './guarded-source.js'
import { IncomingStream, type StreamRoom } from './incoming-stream.js'
import { OutgoingStream } from './outgoing-stream.js'
import { isCredit, StreamMessage } from './stream-messages.js'

/** The members of a request that ask for streams, as they arrived. */
export interface StreamRequest {
  readonly credit?: unknown
  readonly input?: unknown
  readonly key?: unknown
}

/** How many ended streams are remembered: messages for them may still arrive, and do not violate the protocol. */
const REMEMBERED = 1_024

/** The streams of the calls that run here, by the ids of their calls. */
export class ServedStreams {
  readonly #channel: ChannelContext
  readonly #room: StreamRoom
  readonly #open = new IdTable<ServedCall>()
  #ended: Set<MessageId> = EMPTY_SET

  /** @param room how much input of callers may wait here to be read. */
  constructor(channel: ChannelContext, room: StreamRoom) {
    this.#channel = channel
    this.#room = room
  }

  /** Opens the streams that a request asks for. {@link whyNoStreams} must have accepted the request. */
  open(
    id: MessageId,
    method: string,
    { credit, input }: StreamRequest,
    checkInput: (item: unknown) => unknown,
  ): ServedCall {
    const call = new ServedCall(id, method, this.#channel, this.#room)
    if (credit !== undefined) call.openOutput(credit as number)
    if (input !== undefined) call.openInput(checkInput)
    // After a reconnect the id may belong to another call.
    this.#open.delete(id)
    this.#open.add(call)
    this.#ended.delete(id)
    return call
  }

  /** The call is over. */
  end(call: ServedCall): void {
    call.end()
    // After a reconnect the id may belong to another call.
    if (this.#open.get(call.id) === call) this.#open.delete(call.id)
    this.#ended = ownSet(this.#ended).add(call.id)
    for (const oldest of this.#ended) {
      if (this.#ended.size <= REMEMBERED) break
      this.#ended.delete(oldest)
    }
  }

  /**
   * Handles a control message of the caller about a call.
   *
   * @returns how it breaks the protocol; undefined if it does not.
   */
  receive(method: string, params: unknown, bytes: number): string | undefined {
    const named = readId(params)
    const call = named && this.#open.get(named.id)
    if (call) return call.receive(method, params as { n?: unknown; value?: unknown }, bytes)
    if (named && this.#ended.has(named.id)) return undefined
    return `an ${method} of ${named ? 'a call without streams' : 'no call'}`
  }

  /** An item of a caller was refused, for this reason. */
  refused(params: unknown, why: string): void {
    const named = readId(params)
    if (named) this.#open.get(named.id)?.refuseInput(why)
  }
}

/** The streams of one call that runs here. */
export class ServedCall {
  readonly id: MessageId
  readonly method: string
  readonly #channel: ChannelContext
  readonly #room: StreamRoom
  #input: IncomingStream | undefined
  #output: OutgoingStream | undefined
  #source: GuardedSource | undefined
  #isInputOver = false

  constructor(id: MessageId, method: string, channel: ChannelContext, room: StreamRoom) {
    this.id = id
    this.method = method
    this.#channel = channel
    this.#room = room
  }

  /** The input of the caller; undefined if the caller sends none. */
  get input(): IncomingStream | undefined {
    return this.#input
  }

  /** Whether the caller takes a stream. */
  get isTaken(): boolean {
    return this.#output !== undefined
  }

  /** The caller takes items, and has given this credit. */
  openOutput(credit: number): void {
    const channel = this.#channel
    const { method, id } = this
    const contextOf = (phase: ErrorPhase) => incomingContext({ method, kind: 'stream', id }, phase)
    this.#output = new OutgoingStream({
      credit,
      whenRoomy: () => channel.flow.whenRoomy() ?? this.#source?.[BEFORE_ITEM]?.(),
      error: (thrown) => channel.error(thrown, contextOf('source')),
      say: (value) =>
        channel.sendControl(controlMessage(StreamMessage.item, { id: this.id, value })),
      largest: () => channel.peer.message,
      unsent: (why) => {
        // The reason is reported on this side only: the text may be that of an error of the handler's own.
        channel.error(unsentError(this.method, why, channel.kind.settings), contextOf('answer'))
        return unsentErrorForCaller(this.method, why)
      },
    })
  }

  /** The caller sends input. @param check validates an item of it. */
  openInput(check: (item: unknown) => unknown): void {
    const channel = this.#channel
    const grant = (n: number) => {
      channel.sendControl(controlMessage(StreamMessage.inputCredit, { id: this.id, n }))
    }
    this.#input = new IncomingStream({
      method: this.method,
      room: this.#room,
      begin: grant,
      isInput: true,
      grant,
      leave: () => grant(0),
      check,
    })
  }

  /** Sends the items of a source, until they end or the caller wants no more. */
  async send(source: Source<unknown>): Promise<void> {
    this.#source = source
    await this.#output?.run(source)
  }

  /** The caller wants no more items, or is gone. */
  abort(reason: unknown): void {
    this.#output?.stop()
    this.#input?.discard({ error: reason })
  }

  /** An input without one of its items is wrong as a whole, so it ends. */
  refuseInput(why: string): void {
    const message = `The input of ${quoted(this.method)} was not taken: ${why}`
    const error = new RpcError(ErrorCode.invalidRequest, message, undefined, {
      method: this.method,
    })
    this.#input?.end({ error })
  }

  end(): void {
    this.#output?.stop()
    this.#input?.discard()
  }

  /** @returns how the message breaks the protocol; undefined if it does not. */
  receive(
    method: string,
    { n, value }: { n?: unknown; value?: unknown },
    bytes: number,
  ): string | undefined {
    if (method === StreamMessage.credit) {
      if (!this.#output) return 'an rpc.credit of a call that is not a stream'
      return isCredit(n) ? this.#output.grant(n) : `an rpc.credit of ${String(n)}`
    }
    if (!this.#input) return `an ${method} of a call without input`
    if (this.#isInputOver) return `an ${method} after the end of the input`
    if (method === StreamMessage.input) return this.#input.push(value, bytes)
    this.#isInputOver = true
    this.#input.end()
    return undefined
  }
}

/** @returns why a request can't have the streams that it asks for; undefined if it can. */
export function whyNoStreams(
  id: MessageId,
  { credit, input, key }: StreamRequest,
): string | undefined {
  if (credit === undefined && input === undefined) return undefined
  if (credit !== undefined && !isCredit(credit)) return 'rpc.credit must be a whole number from 1'
  if (input !== undefined && input !== true) return 'rpc.input must be true, or left out'
  if (id === null) return 'a call with streams needs an id'
  return key === undefined ? undefined : 'a call with streams has no key: they are not kept'
}
