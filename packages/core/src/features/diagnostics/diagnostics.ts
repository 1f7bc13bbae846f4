import { TRACES_CALLS } from '#trace-default'
import type { Diagnostics } from '../../calls/diagnostics.js'
import type { Feature } from '../../calls/feature.js'
import { nearestName } from '../../errors/nearest.js'
import { consolePrinter } from '../../logging/console-logger.js'
import { traceFrom } from './call-trace.js'
import { assertDatesArrive } from './dates-in-params.js'
import { lostKind, remedyOfUnsent } from './lost-kinds.js'
import { insteadOf } from './unknown-name.js'

/**
 * Diagnostics: errors tell which name was probably meant, which values JSON does not carry, and where a call was made;
 * failures are printed to the console.
 */
export function diagnostics(): Feature {
  return FEATURE
}

/** The functions that the feature adds to errors. */
export const DIAGNOSTICS: Diagnostics = {
  nearest: nearestName,
  printer: consolePrinter,
  insteadOf,
  lostKind,
  remedyOfUnsent,
  assertDatesArrive,
  trace: traceFrom,
}

const FEATURE: Feature = {
  name: 'diagnostics',
  resolve: ({ traceCalls = TRACES_CALLS }) => ({ traceCalls }),
  diagnostics: DIAGNOSTICS,
}
