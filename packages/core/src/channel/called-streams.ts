import { describeThrown, RpcAbortedError } from '../errors.js'
import { EMPTY_MAP, ownMap } from './empty.js'
import type { Source } from './functions.js'
import type { IncomingStream } from './incoming-stream.js'
import { OutgoingStream } from './outgoing-stream.js'
import { outcomeOf, type PendingCall, STATE } from './pending-call.js'
import type { PendingCalls } from './pending-calls.js'
import type { Speech } from './speech.js'
import { isCredit, readId, StreamWord, wordOf } from './stream-words.js'

/** The streams of the calls that were made here, by the ids of their calls. */
export class CalledStreams {
  readonly #speech: Speech
  readonly #pending: PendingCalls
  #items: Map<unknown, IncomingStream> = EMPTY_MAP
  #inputs: Map<unknown, OutgoingStream> = EMPTY_MAP

  constructor(speech: Speech, pending: PendingCalls) {
    this.#speech = speech
    this.#pending = pending
  }

  /** Takes the items of a call, until it has ended. */
  take(call: PendingCall, stream: IncomingStream): void {
    this.#items = ownMap(this.#items).set(call.id, stream)
    call.countItems = () => stream.received
    const over = () => this.#items.delete(call.id)
    call.promise.then(over, over)
  }

  /** Sends the items of a source along with a call, as far as the other side wants them. */
  send(call: PendingCall, source: Source<unknown>): void {
    const speech = this.#speech
    const { id, method } = call
    const output = new OutgoingStream({
      credit: 0,
      whenRoomy: () => speech.whenRoomy(),
      send: (value) => {
        const unsent = speech.say(wordOf(StreamWord.input, { id, value }))
        if (unsent) throw unsent.error(method)
      },
    })
    this.#inputs = ownMap(this.#inputs).set(id, output)
    call.countItems ??= () => output.sent
    const over = () => {
      this.#inputs.delete(id)
      output.stop()
    }
    call.promise.then(over, over)
    output.run(source).then(
      () => {
        if (!output.isStopped) speech.say(wordOf(StreamWord.inputEnd, { id }))
      },
      (thrown: unknown) => {
        if (output.isStopped) speech.error(thrown)
        else this.#pending.giveUp(call, inputFailed(call, thrown))
      },
    )
  }

  /** So many more items of a call may come. */
  grant({ id }: PendingCall, n: number): void {
    this.#speech.say(wordOf(StreamWord.credit, { id, n }))
  }

  /** A callee said something of a call. @returns how it breaks the protocol, where it does. */
  heard(word: string, params: unknown, bytes: number): string | undefined {
    if (word !== StreamWord.item && word !== StreamWord.inputCredit) return undefined
    const id = readId(params)?.id
    const state = this.#pending.stateOf(id)
    if (state === 'unknown') return `an ${word} of no call`
    // What was under way when it ended.
    if (state === 'over') return undefined
    this.#pending.touch(id)
    const { value, n } = params as { value?: unknown; n?: unknown }
    if (word === StreamWord.item) {
      const items = this.#items.get(id)
      return items ? items.push(value, bytes) : 'an rpc.item of a call that is no stream'
    }
    return this.#granted(this.#inputs.get(id), n)
  }

  #granted(input: OutgoingStream | undefined, n: unknown): string | undefined {
    if (!input) return 'an rpc.input.credit of a call without input'
    if (!isCredit(n, 0)) return `an rpc.input.credit of ${String(n)}`
    if (n > 0) return input.grant(n)
    input.stop()
    return undefined
  }
}

function inputFailed(call: PendingCall, thrown: unknown): RpcAbortedError {
  const outcome = outcomeOf(call)
  const message = `"${call.method}" was given up, as its input failed (${describeThrown(thrown)}): it ${STATE[outcome]}`
  return new RpcAbortedError(message, outcome, { method: call.method, cause: thrown })
}
