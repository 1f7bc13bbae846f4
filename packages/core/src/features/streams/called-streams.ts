import type { Source } from '../../calls/functions.js'
import { outcomeOf, type PendingCall, STATE } from '../../calls/pending-call.js'
import type { PendingCalls } from '../../calls/pending-calls.js'
import type { Speech } from '../../calls/speech.js'
import { describeThrown, RpcAbortedError } from '../../errors/errors.js'
import { outgoingContext } from '../../logging/error-context.js'
import { OutgoingStream } from './outgoing-stream.js'
import { isCredit, readId, StreamWord, wordOf } from './stream-words.js'

/** The streams of the calls that were made here. */
export class CalledStreams {
  readonly #speech: Speech
  readonly #pending: PendingCalls

  constructor(speech: Speech, pending: PendingCalls) {
    this.#speech = speech
    this.#pending = pending
  }

  /** Sends the items of a source along with a call, as far as the other side wants them. */
  send(call: PendingCall, source: Source<unknown>): void {
    const speech = this.#speech
    const { id, method } = call
    const output = new OutgoingStream({
      credit: 0,
      whenRoomy: () => speech.whenRoomy(),
      error: (thrown) => speech.error(thrown, outgoingContext(call, 'source')),
      say: (value) => speech.say(wordOf(StreamWord.input, { id, value })),
      largest: () => speech.largestMessage,
      unsent: (why) => why.error(method),
    })
    call.input = output
    const over = () => output.stop()
    call.promise.then(over, over)
    output.run(source).then(
      () => {
        if (!output.isStopped) speech.say(wordOf(StreamWord.inputEnd, { id }))
      },
      (thrown: unknown) => {
        if (output.isStopped) speech.error(thrown, outgoingContext(call, 'source'))
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
    const call = this.#pending.awaited(id)
    // What was under way when it ended is nobody's.
    if (!call) return this.#pending.stateOf(id) === 'over' ? undefined : `an ${word} of no call`
    this.#pending.touch(id)
    const { value, n } = params as { value?: unknown; n?: unknown }
    if (word === StreamWord.item) {
      return call.items ? call.items.push(value, bytes) : 'an rpc.item of a call that is no stream'
    }
    return this.#granted(call.input, n)
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
