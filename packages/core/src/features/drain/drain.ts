import type { Feature } from '../../calls/feature.js'
import { ErrorCode } from '../../errors/errors.js'
import { quoted } from '../../errors/quoted.js'
import { neverRanMessage } from '../../wire/message.js'
import { type Bye, readBye } from './bye.js'

/**
 * Draining: a server announces that it is leaving. Its clients send the calls that it no longer runs on their next
 * connection.
 */
export function drain(): Feature {
  return FEATURE
}

const BYE = 'rpc.bye'

const FEATURE: Feature = {
  name: 'drain',
  leave(channel, retryAfterMs) {
    const { link } = channel
    const recv = link?.tell()
    const bye: Bye = {
      ...(recv !== undefined && { recv }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    }
    channel.leaving = {
      isUnheard: link?.peer.isExtended ?? false,
      refuse: ({ recv: counted }, id) => (counted === undefined ? late(id) : 'unanswered'),
    }
    link?.endWithConnection()
    link?.sendControl(BYE, bye)
  },
  controls: {
    [BYE]: {
      isCounted: false,
      receive(channel, params) {
        const bye = readBye(params)
        if (!bye) return `an ${BYE} says recv and retryAfterMs, each a number or nothing`
        if (channel.kind.side === 'server') {
          channel.leavingHeard()
          return undefined
        }
        const { link } = channel
        const { recv, retryAfterMs } = bye
        const unreceived = recv === undefined ? [] : link?.unreceived(recv)
        if (!link || !unreceived) return `an ${BYE} of ${quoted(recv)} can't be`
        link.endWithConnection()
        // No call is sent after this message: the server need not wait for one.
        channel.giveBack(unreceived, retryAfterMs, () => link.sendControl(BYE, {}))
        return undefined
      },
    },
  },
}

function late(id: Parameters<typeof neverRanMessage>[0]) {
  const why = 'The server is leaving: call again, elsewhere'
  return neverRanMessage(id, ErrorCode.shuttingDown, why)
}
