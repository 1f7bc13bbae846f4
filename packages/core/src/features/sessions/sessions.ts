import type { Feature } from '../../calls/feature.js'
import { ClientSession } from './client-session.js'
import { SessionLink } from './session-link.js'

/** Sessions: calls continue over one connection after another, each exactly once and in order. */
export function sessions(): Feature {
  return FEATURE
}

const FEATURE: Feature = {
  name: 'sessions',
  controls: {
    // The link of the session handles it.
    'rpc.ack': { isCounted: false, receive: () => undefined },
  },
  keepLink: (channel, features) => new ClientSession(channel, features),
  beginLink(channel, features, connection, sid, peerBytes) {
    const { limits } = channel.kind.settings
    const options = { sid, limits, peerBytes: peerBytes ?? limits.unackedBytes, features }
    return new SessionLink({ ...options, isServer: true }, connection, channel)
  },
}
