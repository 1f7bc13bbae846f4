import type { Feature } from '../calls/feature.js'
import { drain } from '../features/drain/drain.js'
import { keepalive } from '../features/keepalive/keepalive.js'
import { presence } from '../features/presence/presence.js'
import { OF_ALL } from './of-all.js'

/** The features of `createChannel`: it ends with its connection, and so it has no session. */
export const OF_CHANNELS: readonly Feature[] = [...OF_ALL, drain(), keepalive(), presence()]
