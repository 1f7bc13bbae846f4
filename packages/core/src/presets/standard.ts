import type { Feature } from '../calls/feature.js'
import { bytes } from '../features/bytes/bytes.js'
import { deadlines } from '../features/deadlines/deadlines.js'
import { diagnostics } from '../features/diagnostics/diagnostics.js'
import { discovery } from '../features/discovery/discovery.js'
import { drain } from '../features/drain/drain.js'
import { keys } from '../features/keys/keys.js'
import { middleware } from '../features/middleware/middleware.js'
import { presence } from '../features/presence/presence.js'
import { progress } from '../features/progress/progress.js'
import { sessions } from '../features/sessions/sessions.js'
import { streams } from '../features/streams/streams.js'
import { tap } from '../features/tap/tap.js'

/** All features: what `createClient`, `createChannel` and `createEndpoint` have. */
export const STANDARD: readonly Feature[] = [
  streams(),
  progress(),
  deadlines(),
  keys(),
  middleware(),
  presence(),
  discovery(),
  drain(),
  sessions(),
  tap(),
  bytes(),
  diagnostics(),
]
