import type { Feature } from '../../calls/feature.js'
import { SessionLink } from './session-link.js'
import { SESSIONS_OF_CLIENTS } from './sessions-of-clients.js'

/** Sessions: calls continue over one connection after another, each exactly once and in order. */
export function sessions(): Feature {
  return FEATURE
}

const FEATURE: Feature = {
  ...SESSIONS_OF_CLIENTS,
  beginLink(channel, features, connection, sid, peerBytes) {
    const { limits } = channel.kind.settings
    const options = { sid, limits, peerBytes: peerBytes ?? limits.unackedBytes, features }
    return new SessionLink({ ...options, isServer: true }, connection, channel)
  },
}
