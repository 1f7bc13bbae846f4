import { Elapsed } from '../../base/elapsed.js'
import { CallContext } from '../../calls/call-context.js'
import type { ChannelContext } from '../../calls/channel-context.js'
import type { Feature } from '../../calls/feature.js'
import type { Incoming } from '../../calls/incoming.js'
import type { AnswerKeyed } from '../../calls/keyed-call.js'
import type { PendingCall } from '../../calls/pending-call.js'
import { RpcConfigError } from '../../errors/errors.js'
import { quoted } from '../../errors/quoted.js'
import type { PeerFacts } from '../../link/peer-facts.js'
import { incomingContext } from '../../logging/error-context.js'
import { assertKey, isKey } from './key.js'

/** Keys: a call with an idempotency key runs once, however often it is sent, and is sent again automatically. */
export function keys(): Feature {
  return featureOf(undefined)
}

/** @param answer answers calls with a key; without it, they are refused here. */
function featureOf(answer: AnswerKeyed | undefined): Feature {
  return {
    answering: featureOf,
    name: 'keys',
    callOptions: {
      idempotencyKey: {
        // Items are not kept.
        check({ method, kind, value, options }) {
          assertKey(method, value, options.input === undefined ? kind : 'stream')
        },
        open: (_, call, key: string) => addKey(call, key),
      },
    },
    extras: {
      key: {
        whyWrong(value, { method }) {
          if (value === undefined) return undefined
          if (!isKey(value)) {
            return `the key of ${quoted(method)} must be text of 1 to 256 characters`
          }
          if (answer) return undefined
          return `${quoted(method)} has a key, and no results are kept here (the endpoint's option idempotency)`
        },
        take(channel, context, value, incoming) {
          if (value !== undefined && answer) serveByKey(channel, context, incoming, answer)
        },
      },
    },
  }
}

/**
 * Adds a key to a call. The call may be sent again to the server that it was first sent to, as long as that server
 * keeps its result.
 */
function addKey(call: PendingCall, key: string): void {
  call.extras ??= {}
  call.extras.key = key
  let sentTo: { readonly store: string; readonly since: Elapsed } | undefined
  call.repeat = {
    sentTo({ peer }) {
      if (peer.keys) sentTo ??= { store: peer.keys.store, since: new Elapsed() }
    },
    returned() {
      sentTo = undefined
    },
  }
  call.whyNot = ({ keys: kept }: PeerFacts) => {
    if (!sentTo) return kept ? undefined : noKeysError(call.method)
    // A result that is kept now may be deleted before the message arrives, so only half of the time is used. Of the two
    // clocks of this side, the one that shows more elapsed time counts.
    const isKept = kept?.store === sentTo.store && sentTo.since.most < kept.ttlMs / 2
    return isKept ? undefined : noKeysError(call.method)
  }
}

function noKeysError(method: string): RpcConfigError {
  return new RpcConfigError(
    `"${method}" was not sent: it has an idempotencyKey, and the other side keeps no results by key. Give its endpoint the option idempotency, or leave the key out`,
    { method },
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
      owner: channel.owner.owner,
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
