import type { Feature } from '../../calls/feature.js'
import { ClientSession } from './client-session.js'

/** Sessions on the side of clients. */
export const SESSIONS_OF_CLIENTS: Feature = {
  name: 'sessions',
  controls: {
    // The link of the session handles it.
    'rpc.ack': { isCounted: false, receive: () => undefined },
  },
  keepLink: (channel, features) => new ClientSession(channel, features),
}
