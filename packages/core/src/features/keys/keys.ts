import { Elapsed } from '../../base/elapsed.js'
import type { Feature } from '../../calls/feature.js'
import type { PendingCall } from '../../calls/pending-call.js'
import { RpcConfigError } from '../../errors/errors.js'
import { quoted } from '../../errors/quoted.js'
import type { PeerFacts } from '../../link/peer-facts.js'
import { assertKey, whyNoKey } from './key.js'

/** Keys: a call with an idempotency key runs once, however often it is sent, and is sent again automatically. */
export function keys(): Feature {
  return FEATURE
}

const FEATURE: Feature = {
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
      whyWrong: (value, { method }) =>
        whyNoKey(value, method) ??
        (value === undefined
          ? undefined
          : `${quoted(method)} has a key, and no results are kept here (the endpoint's option idempotency)`),
    },
  },
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
