import type { ChannelContext } from '../../calls/channel-context.js'
import { controlMessage, readId } from '../../calls/control-message.js'
import type { Source } from '../../calls/functions.js'
import type { CallPart } from '../../calls/pending-call.js'
import { OUTCOME_TEXTS, outcomeOf, type PendingCall } from '../../calls/pending-call.js'
import { unsentError } from '../../calls/unsent.js'
import { describeThrown, RpcAbortedError, RpcProtocolError } from '../../errors/errors.js'
import { outgoingContext } from '../../logging/error-context.js'
import { IncomingStream } from './incoming-stream.js'
import { OutgoingStream } from './outgoing-stream.js'
import { isCredit, StreamMessage } from './stream-messages.js'

/** The streams of the calls that were made here. */
export class CalledStreams {
  readonly #channel: ChannelContext

  constructor(channel: ChannelContext) {
    this.#channel = channel
  }

  /** Sends the items of a source as the input of a call, as far as the other side gives credit. */
  send(call: PendingCall, source: Source<unknown>): void {
    const channel = this.#channel
    const { id, method } = call
    const output = new OutgoingStream({
      credit: 0,
      whenRoomy: () => channel.flow.whenRoomy(),
      error: (thrown) => channel.error(thrown, outgoingContext(call, 'source')),
      say: (value) => channel.sendControl(controlMessage(StreamMessage.input, { id, value })),
      largest: () => channel.peer.message,
      unsent: (why) => unsentError(method, why, channel.kind.settings),
    })
    call.add(output)
    const over = () => output.stop()
    call.promise.then(over, over)
    output.run(source).then(
      () => {
        if (!output.isStopped) channel.sendControl(controlMessage(StreamMessage.inputEnd, { id }))
      },
      (thrown: unknown) => {
        if (output.isStopped) channel.error(thrown, outgoingContext(call, 'source'))
        else channel.calls.giveUp(call, inputFailed(call, thrown))
      },
    )
  }

  /** Gives the other side credit for `n` more items of a call. */
  grant({ id }: PendingCall, n: number): void {
    this.#channel.sendControl(controlMessage(StreamMessage.credit, { id, n }))
  }

  /**
   * Handles a control message of the callee about a call.
   *
   * @returns how it breaks the protocol; undefined if it does not.
   */
  receive(method: string, params: unknown, bytes: number): string | undefined {
    const { id, value, n } = (params ?? {}) as { id?: unknown; value?: unknown; n?: unknown }
    const call = this.#channel.calls.awaited(id)
    // Messages that were sent before the callee knew that the call had ended are ignored.
    if (!call)
      return this.#channel.calls.stateOf(id) === 'over' ? undefined : `an ${method} of no call`
    call.timer?.touch()
    if (method === StreamMessage.item) {
      const items = partOf(call, IncomingStream)
      return items ? items.push(value, bytes) : 'an rpc.item of a call that is not a stream'
    }
    return this.#granted(partOf(call, OutgoingStream), n)
  }

  /** An item was refused, for this reason. A stream without one of its items is wrong as a whole, so it ends. */
  refused(params: unknown, why: string): void {
    const { calls } = this.#channel
    const call = calls.awaited(readId(params)?.id)
    if (!call) return
    const { method } = call
    calls.giveUp(
      call,
      new RpcProtocolError(`An item of "${method}" was not taken: ${why}`, { method }),
    )
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
  const message = `"${call.method}" was given up, as its input failed (${describeThrown(thrown)}): it ${OUTCOME_TEXTS[outcome]}`
  return new RpcAbortedError(message, outcome, { method: call.method, cause: thrown })
}

function partOf<Part extends CallPart>(
  { parts = [] }: PendingCall,
  kind: new (...args: never[]) => Part,
): Part | undefined {
  for (const part of parts) if (part instanceof kind) return part
  return undefined
}
