import type { Feature } from '../calls/feature.js'
import { bytes } from '../features/bytes/bytes.js'
import { deadlines } from '../features/deadlines/deadlines.js'
import { diagnostics } from '../features/diagnostics/diagnostics.js'
import { discovery } from '../features/discovery/discovery.js'
import { keys } from '../features/keys/keys.js'
import { middleware } from '../features/middleware/middleware.js'
import { progress } from '../features/progress/progress.js'
import { streams } from '../features/streams/streams.js'

/** The features that `createClient`, `createChannel` and `createEndpoint` all have. */
export const OF_ALL: readonly Feature[] = [
  streams(),
  progress(),
  deadlines(),
  keys(),
  middleware(),
  discovery(),
  bytes(),
  diagnostics(),
]
