import { CallContext } from '../../calls/call-context.js'
import type { ChannelContext } from '../../calls/channel-context.js'
import type { Feature } from '../../calls/feature.js'
import type { Incoming } from '../../calls/incoming.js'
import type { AnswerKeyed } from '../../calls/keyed-call.js'
import { incomingContext } from '../../logging/error-context.js'
import { whyNoKey } from './key.js'

/**
 * The features of a server that keeps results by key. Only servers import this module: a page has no part of it.
 *
 * @param answer answers the calls that have a key.
 */
export function answering(features: readonly Feature[], answer: AnswerKeyed): readonly Feature[] {
  return features.map((feature) =>
    feature.name === 'keys'
      ? {
          ...feature,
          extras: {
            key: {
              whyWrong: (value, { method }) => whyNoKey(value, method),
              take(channel, context, value, incoming) {
                if (value !== undefined) serveByKey(channel, context, incoming, answer)
              },
            },
          },
        }
      : feature,
  )
}

/**
 * Serves a call by its key: the handler runs in its own context, which outlives this caller, or a kept answer is used.
 */
function serveByKey(
  channel: ChannelContext,
  caller: CallContext,
  { method, params, rpc }: Incoming,
  answer: AnswerKeyed,
): void {
  const key = rpc?.key as string
  caller.serveBy = async (run) => {
    const { identity, signal, id } = caller
    const given = await answer({
      key,
      method,
      params,
      identity,
      owner: channel.publicChannel.owner,
      signal,
      async run(runSignal) {
        const own = new CallContext(method, caller.kind, channel)
        own.standInFor(caller)
        own.key = key
        const onAbort = () => own.abort(runSignal.reason)
        if (runSignal.aborted) onAbort()
        runSignal.addEventListener('abort', onAbort, { once: true })
        try {
          return await run(own)
        } finally {
          runSignal.removeEventListener('abort', onAbort)
        }
      },
      error: (thrown) => channel.error(thrown, incomingContext(caller, 'store')),
    })
    return { ...given, id }
  }
}
