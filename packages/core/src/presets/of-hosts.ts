import type { Feature } from '../calls/feature.js'
import { members } from '../features/members/members.js'
import { OF_CHANNELS } from './of-channels.js'

/** The features of the channels of a host, such as Electron's main: those of `createChannel`, and who is in its groups. */
export const OF_HOSTS: readonly Feature[] = [...OF_CHANNELS, members()]
