import type { Feature } from '../calls/feature.js'
import { drain } from '../features/drain/drain.js'
import { keepalive } from '../features/keepalive/keepalive.js'
import { members } from '../features/members/members.js'
import { presence } from '../features/presence/presence.js'
import { sessions } from '../features/sessions/sessions.js'
import { OF_ALL } from './of-all.js'

/** The features of `createEndpoint`. */
export const OF_ENDPOINTS: readonly Feature[] = [
  ...OF_ALL,
  drain(),
  keepalive(),
  sessions(),
  presence(),
  members(),
]
