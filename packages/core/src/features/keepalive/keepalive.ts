import type { Feature } from '../../calls/feature.js'
import { RateLimit } from '../../link/rate-limit.js'
import { keepaliveWith } from './keepalive-of-clients.js'

/**
 * Keepalive: a dead other side is noticed, how long the other side takes to answer is measured, and a client that sends
 * too much is slowed down. An endpoint always has it.
 */
export function keepalive(): Feature {
  return FEATURE
}

const FEATURE = keepaliveWith((limits, events) => new RateLimit(limits, events))
