import { after, type MaybeAsync } from '../base/maybe-async.js'
import { describeThrown, ErrorCode, RpcError, RpcValidationError } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
import type { HeldMessage } from '../link/held-messages.js'
import type { BatchMember, MessageLink } from '../link/message-link.js'
import type { RequestGate } from '../link/request-gate.js'
import { IN_FRAME, incomingContext } from '../logging/error-context.js'
import { CloseCode } from '../transport/close-codes.js'
import {
  type Encoded,
  encode,
  encodeBatch,
  heldBytes,
  type Unsendable,
  whyUnsendable,
} from '../wire/encoded.js'
import {
  type Classified,
  errorMessage,
  invalidRequestMessage,
  type MessageId,
  neverRanMessage,
  type ResponseMessage,
} from '../wire/message.js'
import type { WeightSource } from '../wire/weight.js'
import type { CoreContext } from './core-context.js'
import type { Dispatcher } from './dispatcher.js'
import type { FeatureTable } from './feature.js'
import type { Incoming } from './incoming.js'
import { lateBy } from './late.js'
import { cancellation, unknownMethod } from './refusals.js'

/** An answer that can be sent. */
interface Reply {
  readonly answer: ResponseMessage
  readonly encoded: Encoded
}

/**
 * Handles the messages of the other side: runs its calls and answers them, and passes answers to the calls of this
 * side, and control messages to the features that own them.
 */
export class Receiver {
  readonly #core: CoreContext
  readonly #features: FeatureTable
  readonly dispatcher: Dispatcher

  constructor(core: CoreContext, features: FeatureTable, dispatcher: Dispatcher) {
    this.#core = core
    this.#features = features
    this.dispatcher = dispatcher
  }

  /** Handles a message. @param refusal why it must be refused; undefined if it need not be. */
  message(
    link: MessageLink,
    message: Classified,
    bytes: number,
    refusal: string | undefined,
  ): void {
    this.#answerWith(link, this.#handle(link, message, bytes, refusal))
  }

  // What is rare or comes later has functions of its own here: whatever has closures makes an object for them each time
  // it runs.

  #answerWith(link: MessageLink, reply: MaybeAsync<Reply | undefined>): void {
    if (reply instanceof Promise) this.#answerLater(link, reply)
    else if (reply) this.#core.reply(link, reply.encoded)
  }

  #answerLater(link: MessageLink, reply: Promise<Reply | undefined>): void {
    void reply.then((given) => given && this.#core.reply(link, given.encoded))
  }

  /** @returns the answer, if the message needs one, in a form that the codec can carry and the other side accepts. */
  #handle(
    link: MessageLink,
    message: Classified,
    bytes: number,
    refusal: string | undefined,
  ): MaybeAsync<Reply | undefined> {
    if (refusal !== undefined) return this.#refused(link, message, refusal)
    switch (message.kind) {
      case 'request':
        return this.#request(link, message.id, message)
      case 'notification':
        return this.#notification(link, message, bytes)
      case 'neither': {
        const reason = 'it has neither a method nor a result nor an error'
        if (!this.#core.calls.awaited(message.id)) {
          return this.#encodeOwn(link, invalidRequestMessage(message.id, reason))
        }
        this.#core.answer({ kind: 'malformed-response', id: message.id, reason })
        return undefined
      }
      case 'invalid':
        return this.#encodeOwn(link, invalidRequestMessage(message.id, message.reason))
      default:
        this.#core.answer(message)
        return undefined
    }
  }

  /** Refuses a message. It can be read far enough to know its call, and only that call is affected. */
  #refused(link: MessageLink, message: Classified, why: string): Reply | undefined {
    switch (message.kind) {
      case 'request':
        return this.#encodeOwn(link, invalidRequestMessage(message.id, why, false))
      case 'notification': {
        const control = this.#features.controls.get(message.method)
        if (control?.refused?.(this.#core, message.params, why)) return undefined
        return this.#encodeOwn(link, invalidRequestMessage(null, why))
      }
      case 'invalid':
      case 'neither':
        return this.#encodeOwn(link, invalidRequestMessage(message.id, why))
      default:
        this.#core.answer({ kind: 'malformed-response', id: message.id, reason: why })
        return undefined
    }
  }

  #request(link: MessageLink, id: MessageId, incoming: Incoming): MaybeAsync<Reply | undefined> {
    const { method } = incoming
    if (method.startsWith('rpc.') && !this.#features.requests.has(method)) {
      const why = unknownMethod(method)
      return this.#encodeOwn(link, errorMessage(id, ErrorCode.methodNotFound, why))
    }
    const gate = this.#core.flowIfAny?.gate
    if (!gate?.isClosed) return this.#begin(link, id, incoming, link)
    return this.#holdRequest(gate, link, id, incoming)
  }

  #holdRequest(
    gate: RequestGate,
    link: MessageLink,
    id: MessageId,
    incoming: Incoming,
  ): Reply | undefined {
    const { method } = incoming
    const { weight } = link
    const why = this.#hold(gate, {
      id,
      weight,
      what: `${quoted(method)}`,
      begin: (waitedMs) =>
        this.#answerWith(link, this.#begin(link, id, lateBy(incoming, waitedMs), { weight })),
    })
    if (why === undefined) return undefined
    return this.#encodeOwn(link, neverRanMessage(id, ErrorCode.overloaded, why))
  }

  #begin(
    link: MessageLink,
    id: MessageId,
    incoming: Incoming,
    weightSource: WeightSource,
  ): MaybeAsync<Reply | undefined> {
    const isHeld = this.#core.flowIfAny?.gate.isBeginning === true
    // A held call arrived before this side began to leave.
    const late = isHeld ? undefined : this.#core.leaving?.refuse(link, id)
    if (late === 'unanswered') return undefined
    const answer = late ?? this.dispatcher.request(id, incoming, weightSource)
    if (answer instanceof Promise) return this.#encodeAnswerLater(link, incoming.method, answer)
    return answer && this.#encodeAnswer(link, incoming.method, answer)
  }

  #encodeAnswerLater(
    link: MessageLink,
    method: string,
    answer: Promise<ResponseMessage | undefined>,
  ): Promise<Reply | undefined> {
    return answer.then((given) => given && this.#encodeAnswer(link, method, given))
  }

  #notification(
    link: MessageLink,
    incoming: Incoming,
    bytes: number,
  ): MaybeAsync<Reply | undefined> {
    const { method, params } = incoming
    if (method === 'rpc.cancel' || method === '$/cancelRequest') {
      const answer = this.#cancel((params as { id?: MessageId } | undefined)?.id)
      return answer && this.#encodeOwn(link, answer)
    }
    if (method.startsWith('rpc.')) {
      // A control message that no feature owns is from a later version: it is ignored.
      const violation = this.#features.controls.get(method)?.receive(this.#core, params, bytes)
      if (violation) link.violated(violation)
      return undefined
    }
    const gate = this.#core.flowIfAny?.gate
    if (gate?.isClosed) this.#holdNotification(gate, link, incoming)
    else this.#runNotification(link, incoming, link)
    return undefined
  }

  #runNotification(link: MessageLink, incoming: Incoming, weightSource: WeightSource): void {
    const isHeld = this.#core.flowIfAny?.gate.isBeginning === true
    // A server that is leaving does not run it: in a session it is sent again to another server, as a call is.
    if (!isHeld && this.#core.leaving?.refuse(link, null) === 'unanswered') return
    this.dispatcher.notification(incoming, weightSource)
  }

  #holdNotification(gate: RequestGate, link: MessageLink, incoming: Incoming): void {
    const { weight } = link
    const { method } = incoming
    const why = this.#hold(gate, {
      id: null,
      weight,
      what: `${quoted(method)}`,
      begin: () => this.#runNotification(link, incoming, { weight }),
    })
    if (why === undefined) return
    const context = incomingContext({ method, kind: 'notification' }, 'refused')
    this.#core.error(new RpcError(ErrorCode.overloaded, why), context)
  }

  /** The caller has cancelled a call that may run here. @returns the answer, if the call is held or runs. */
  #cancel(id: MessageId | undefined): ResponseMessage | undefined {
    if (id === undefined) return undefined
    const held = this.#core.flowIfAny?.gate.take(id)
    if (!held) return this.dispatcher.cancel(id, cancellation())
    return neverRanMessage(id, ErrorCode.cancelled, `${held.what} was cancelled`)
  }

  // ── Batches of plain peers ────────────────────────────────────────────────────────────────────

  /** Handles a batch. If a session has begun since it arrived, the batch is not part of the session. */
  batch(link: MessageLink, members: readonly BatchMember[]): void {
    const gate = this.#core.flowIfAny?.gate
    if (!gate?.isClosed) return this.#beginBatch(link, members)
    const { weight } = link
    const why = this.#hold(gate, {
      id: null,
      weight: weight * members.length,
      what: 'A batch',
      begin: () => this.#beginBatch(link, members),
    })
    if (why !== undefined) this.answer(link, neverRanMessage(null, ErrorCode.overloaded, why))
  }

  #beginBatch(link: MessageLink, members: readonly BatchMember[]): void {
    const replies = members.map(({ message, bytes, refusal }) =>
      this.#collected(this.#handle(link, message, bytes, refusal)),
    )
    void this.#answerBatch(link, replies)
  }

  /** Sends the answers in one array, in any order, or nothing if there are none. */
  async #answerBatch(
    link: MessageLink,
    owed: readonly MaybeAsync<Reply | undefined>[],
  ): Promise<void> {
    const replies = (await Promise.all(owed)).filter((reply) => reply !== undefined)
    if (replies.length === 0) return
    try {
      this.#sendAnswers(link, replies)
    } finally {
      const bytes = replies.reduce((sum, { encoded }) => sum + heldBytes(encoded), 0)
      this.#core.flow.gate.collect(-bytes)
    }
  }

  /** Counts the bytes of an answer that is ready and waits for the others of its batch. */
  #collected(reply: MaybeAsync<Reply | undefined>): MaybeAsync<Reply | undefined> {
    return after(reply, (given) => {
      if (given) this.#core.flow.gate.collect(heldBytes(given.encoded))
      return given
    })
  }

  #sendAnswers(link: MessageLink, replies: readonly Reply[]): void {
    // If the peer has sent a hello meanwhile, it gets each answer in its own message: in a session, messages are
    // counted.
    if (link.peer.isExtended) {
      for (const { encoded } of replies) this.#core.reply(link, encoded)
      return
    }
    try {
      this.#core.reply(link, encodeBatch(this.#core.kind.settings.format, replies))
    } catch (thrown) {
      this.#codecFailed(link, thrown)
    }
  }

  // ── If the other side does not take its answers ───────────────────────────────────────────────

  /** @returns the reason if the message must be refused; undefined if it is held until it can be started. */
  #hold(gate: RequestGate, message: HeldMessage): string | undefined {
    return gate.hold(message, this.dispatcher.runningBytes)
  }

  // ── Answers ───────────────────────────────────────────────────────────────────────────────────

  /** Encodes an answer. If it can't be sent, returns an error answer instead. */
  #encodeAnswer(link: MessageLink, method: string, answer: ResponseMessage): Reply | undefined {
    const { id } = answer
    const { format, diagnostics } = this.#core.kind.settings
    let encoded: Encoded
    try {
      encoded = encode(format, answer)
    } catch (thrown) {
      // The reason is reported on this side only: the text may be that of an error of the handler's own.
      const why = `The answer of ${quoted(method)} can't be sent as ${format.codec.name}`
      const detail = `${describeThrown(thrown)}${diagnostics?.remedyOfUnsent(format, thrown) ?? ''}`
      const options = { method, cause: thrown }
      this.#core.error(
        new RpcValidationError(`${why}: ${detail}`, [{ message: detail }], 'not-sent', options),
        incomingContext({ method, kind: 'method', id }, 'answer'),
      )
      return this.#encodeOwn(link, errorMessage(id, ErrorCode.internal, why))
    }
    const unsendable = whyUnsendable(format, encoded, link.peer)
    if (unsendable) return this.#unsendable(link, method, id, unsendable)
    const gate = this.#core.flowIfAny?.gate
    if (!gate || gate.hasRoomFor(encoded)) return { answer, encoded }
    const why = `The answer of ${quoted(method)} was dropped: too many answers wait until its caller reads them (limits.answerBytes)`
    return this.#encodeOwn(link, errorMessage(id, ErrorCode.overloaded, why, undefined, null))
  }

  /** Makes the error answer that replaces an answer that the other side can't accept. */
  #unsendable(
    link: MessageLink,
    method: string,
    id: MessageId,
    unsendable: Unsendable,
  ): Reply | undefined {
    const { message, depth } = link.peer
    if (unsendable === 'too-big') {
      const why = `The answer of ${quoted(method)} is larger than the ${message} bytes its caller accepts. Make it a stream, or raise the caller's limit "message"`
      return this.#encodeOwn(link, errorMessage(id, ErrorCode.overloaded, why, undefined, null))
    }
    const why =
      unsendable === 'too-deep'
        ? `The answer of ${quoted(method)} nests deeper than the ${depth} levels its caller accepts`
        : unsendable.ofAnswer(quoted(method))
    const error = new RpcValidationError(why, [{ message: why }], 'not-sent', { method })
    this.#core.error(error, incomingContext({ method, kind: 'method', id }, 'answer'))
    return this.#encodeOwn(link, errorMessage(id, ErrorCode.internal, why))
  }

  /** Sends an answer in its own message. */
  answer(link: MessageLink, message: ResponseMessage): void {
    this.#answerWith(link, this.#encodeOwn(link, message))
  }

  /** Encodes an answer of the protocol's own. If the codec can't carry it, the connection ends. */
  #encodeOwn(link: MessageLink, answer: ResponseMessage): Reply | undefined {
    try {
      return { answer, encoded: encode(this.#core.kind.settings.format, answer) }
    } catch (thrown) {
      this.#codecFailed(link, thrown)
      return undefined
    }
  }

  #codecFailed(link: MessageLink, thrown: unknown): void {
    this.#core.error(thrown, IN_FRAME)
    const { name } = this.#core.kind.settings.format.codec
    link.cut(CloseCode.internal, `The codec "${name}" failed`)
  }
}
