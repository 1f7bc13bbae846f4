import type { Feature } from '../calls/feature.js'
import { DRAINED } from '../features/drain/drained.js'
import { KEEPALIVE_OF_CLIENTS } from '../features/keepalive/keepalive-of-clients.js'
import { PRESENCE_OF_CLIENTS } from '../features/presence/presence-of-clients.js'
import { SESSIONS_OF_CLIENTS } from '../features/sessions/sessions-of-clients.js'
import { tap } from '../features/tap/tap.js'
import { OF_ALL } from './of-all.js'

/** The features of `createClient`: of those with two sides, the side of clients. */
export const OF_CLIENTS: readonly Feature[] = [
  ...OF_ALL,
  DRAINED,
  KEEPALIVE_OF_CLIENTS,
  PRESENCE_OF_CLIENTS,
  SESSIONS_OF_CLIENTS,
  tap(),
]
