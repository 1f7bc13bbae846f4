import { guarded } from '../../base/guarded.js'
import type { CallContext } from '../../calls/call-context.js'
import type { ChannelContext } from '../../calls/channel-context.js'
import { checkResult } from '../../calls/check-result.js'
import type {
  CallRequest,
  CallSender,
  Control,
  Feature,
  RequestExtra,
  StreamCall,
} from '../../calls/feature.js'
import type { RpcStream, Source } from '../../calls/functions.js'
import type { PendingCall } from '../../calls/pending-call.js'
import { isOfAbort, notThisKind } from '../../calls/refusals.js'
import { validated } from '../../calls/validated.js'
import { schemaOf } from '../../contract/definition.js'
import { RpcConfigError } from '../../errors/errors.js'
import { quoted } from '../../errors/quoted.js'
import type { PeerFacts } from '../../link/peer-facts.js'
import { incomingContext, outgoingContext } from '../../logging/error-context.js'
import { CalledStreams } from './called-streams.js'
import { IncomingStream, StreamRoom } from './incoming-stream.js'
import { isSource, releaseSource } from './outgoing-stream.js'
import { ServedStreams, whyNoStreams } from './served-streams.js'
import { StreamMessage } from './stream-messages.js'

/** Streams: calls that are answered with items, and calls with input items. */
export function streams(): Feature {
  return STREAMS
}

/** The state of this feature for one channel. */
class StreamState {
  readonly room: StreamRoom
  readonly called: CalledStreams
  readonly served: ServedStreams

  constructor(channel: ChannelContext) {
    this.room = new StreamRoom(channel.kind.settings.limits)
    this.called = new CalledStreams(channel)
    this.served = new ServedStreams(channel, this.room)
  }
}

function stateOf(channel: ChannelContext): StreamState {
  return channel.stateOf(STREAMS, () => new StreamState(channel))
}

/** A control message of the callee, about a call of this side. */
function toCaller(method: string, refused?: Control['refused']): Control {
  return {
    isCounted: true,
    receive: (channel, params, bytes) => stateOf(channel).called.receive(method, params, bytes),
    ...(refused && { refused }),
  }
}

/** A control message of the caller, about a call that runs here. */
function toCallee(method: string, refused?: Control['refused']): Control {
  return {
    isCounted: true,
    receive: (channel, params, bytes) => stateOf(channel).served.receive(method, params, bytes),
    ...(refused && { refused }),
  }
}

/** The members of a request that ask for streams are checked and applied together. */
const STREAM_EXTRA: RequestExtra = {
  whyWrong: (_, { id, rpc = {} }) => whyNoStreams(id, rpc),
  take(channel, context, _, { rpc = {} }) {
    if (context.items !== undefined || context.finish !== undefined) return
    const { method } = context
    const call = stateOf(channel).served.open(context.id, method, rpc, (item) =>
      validated(channel.kind, method, 'input', item),
    )
    if (call.input) context.items = call.input
    if (call.isTaken)
      context.finish = (given) => sendAll(channel, context, call.send.bind(call), given)
    context.add({
      abort: (reason) => call.abort(reason),
      end: () => stateOf(channel).served.end(call),
    })
  },
}

const STREAMS: Feature = {
  name: 'streams',
  stream: openStream,
  callOptions: {
    input: {
      check: assertInput,
      neededFor: { part: 'input', error: noInputError },
      open(channel, call, source: Source<unknown>) {
        call.extras ??= {}
        call.extras.input = true
        call.whyNot = noStreams(call)
        // The items are taken when there is credit for them, which is after the call was sent. The source ends with the
        // call.
        stateOf(channel).called.send(call, source)
      },
      release(channel, { method, kind, value }) {
        if (!isSource(value)) return
        const context = outgoingContext({ method, kind }, 'source')
        guarded(
          () => releaseSource(value),
          (thrown) => channel.error(thrown, context),
        )
      },
    },
  },
  extras: { credit: STREAM_EXTRA, input: STREAM_EXTRA },
  controls: {
    [StreamMessage.item]: toCaller(StreamMessage.item, (channel, params, why) => {
      stateOf(channel).called.refused(params, why)
      return true
    }),
    [StreamMessage.inputCredit]: toCaller(StreamMessage.inputCredit),
    [StreamMessage.credit]: toCallee(StreamMessage.credit),
    [StreamMessage.input]: toCallee(StreamMessage.input, (channel, params, why) => {
      stateOf(channel).served.refused(params, why)
      return true
    }),
    [StreamMessage.inputEnd]: toCallee(StreamMessage.inputEnd),
  },
}

/** A plain peer does not know streams. */
function noStreams({ method }: PendingCall): (peer: PeerFacts) => RpcConfigError | undefined {
  return ({ isExtended }) =>
    isExtended
      ? undefined
      : new RpcConfigError(
          `"${method}" was not sent: plain JSON-RPC 2.0 peers have no streams. Use flashrpc on the other side, or a method without a stream`,
          { method },
        )
}

/** The items of a call. The call begins when the first item is asked for. */
function openStream(
  channel: ChannelContext,
  sender: CallSender,
  { method, params, options, trace }: StreamCall,
): RpcStream<unknown> {
  const { called, room } = stateOf(channel)
  const { calls } = channel
  let call: PendingCall
  const stream: IncomingStream = new IncomingStream({
    method,
    room,
    signal: options?.signal,
    begin: (credit) => {
      call = sender.open(method, options, 'stream', trace)
      call.extras ??= {}
      call.extras.credit = credit
      call.whyNot = noStreams(call)
      call.add(stream)
      const ended = sender.pass(call, params, options, () => sender.request(call, params))
      const endWith = (end: Promise<unknown>): Promise<void> =>
        end.then(
          // Middleware may return before the stream ends.
          () => (calls.has(call) ? endWith(call.promise) : stream.end()),
          (error) => stream.fail(error),
        )
      void endWith(ended)
    },
    grant: (credit) => called.grant(call, credit),
    leave: () => calls.leave(call),
    unbegun: () => sender.release(method, options, 'stream'),
    check: (item) => checkResult(call.definition, method, 'item', item, channel.kind),
  })
  return stream
}

/** @throws {RpcConfigError} if a call lacks the input that it needs, or has an input that its method does not take. */
function assertInput({ method, kind, definition, value }: CallRequest): void {
  const schema = schemaOf(definition, 'input')
  if (value === undefined ? !schema : isSource(value) && (!definition || schema)) return
  const takesNone = kind === 'notification' || (definition && !schema)
  if (!takesNone) throw noInputError(method)
  throw new RpcConfigError(`"${method}" takes no input: leave it out, or add it to the contract`, {
    method,
  })
}

function noInputError(method: string): RpcConfigError {
  const message = `The input of "${method}" must be an iterable, or an async one`
  return new RpcConfigError(message, { method })
}

/** Sends the items that a stream's handler returns. The answer ends the stream. */
async function sendAll(
  channel: ChannelContext,
  context: CallContext,
  send: (source: Source<unknown>) => Promise<void>,
  given: unknown,
): Promise<undefined> {
  const { method } = context
  if (!isSource(given)) {
    if (!channel.kind.localSide) throw notThisKind(method, false)
    throw new TypeError(
      `${quoted(method)} is a stream: its handler must be an async generator, or give an iterable`,
    )
  }
  try {
    await send(given)
  } catch (thrown) {
    if (!context.isLeft) throw thrown
    // A caller that has left the stream does not need the error of a source that was told to stop.
    if (!isOfAbort(thrown, context.reason)) {
      channel.error(thrown, incomingContext(context, 'source'))
    }
  }
  if (context.aborted && !context.isLeft) throw context.reason
  return undefined
}
