import type { Feature } from '../../calls/feature.js'
import { ErrorCode } from '../../errors/errors.js'
import { type ErrorMessage, type MessageId, neverRanMessage } from '../../wire/message.js'
import type { Bye } from './bye.js'
import { BYE, DRAINED } from './drained.js'

/**
 * Draining: a server announces that it is leaving. Its clients send the calls that it no longer runs on their next
 * connection.
 */
export function drain(): Feature {
  return FEATURE
}

const FEATURE: Feature = {
  ...DRAINED,
  leave(channel, retryAfterMs) {
    const { link } = channel
    const recv = link?.reportRecv()
    const bye: Bye = {
      ...(recv !== undefined && { recv }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    }
    channel.leaving = {
      isUnconfirmed: link?.peer.isExtended ?? false,
      refuse: ({ recv: counted }, id) =>
        counted === undefined ? leavingMessage(id) : 'unanswered',
    }
    link?.endWithConnection()
    link?.sendControl(BYE, bye)
  },
}

function leavingMessage(id: MessageId): ErrorMessage {
  const why = 'The server is leaving: call again, elsewhere'
  return neverRanMessage(id, ErrorCode.shuttingDown, why)
}
