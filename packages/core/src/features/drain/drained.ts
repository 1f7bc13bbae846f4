import type { Feature } from '../../calls/feature.js'
import { quoted } from '../../errors/quoted.js'
import { readBye } from './bye.js'

export const BYE = 'rpc.bye'

/** Draining on the side of clients: they send the calls that a server gives back on their next connection. */
export const DRAINED: Feature = {
  name: 'drain',
  controls: {
    [BYE]: {
      isCounted: false,
      receive(channel, params) {
        const bye = readBye(params)
        if (!bye) return `recv and retryAfterMs of ${BYE} must be numbers from 0, or left out`
        if (channel.kind.side === 'server') {
          channel.leavingConfirmed()
          return undefined
        }
        const { link } = channel
        const { recv, retryAfterMs } = bye
        const unreceived = recv === undefined ? [] : link?.unreceived(recv)
        if (!link || !unreceived)
          return `an ${BYE} of ${quoted(recv)}, which is less than before or more than was sent`
        link.endWithConnection()
        // No call is sent after this message: the server need not wait for one.
        channel.giveBack(unreceived, retryAfterMs, () => link.sendControl(BYE, {}))
        return undefined
      },
    },
  },
}
