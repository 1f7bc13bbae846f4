import type { Feature } from '../../calls/feature.js'
import { HELLO, HELLO_ID } from '../../link/hello.js'
import { snapshotOf } from './snapshot.js'

/** Taps: developer tools see each frame of a client, and may delay it. */
export function tap(): Feature {
  return FEATURE
}

const FEATURE: Feature = {
  name: 'tap',
  tap(core, features, wireTap) {
    core.tap(wireTap)
    return {
      codec: core.kind.settings.format.codec,
      isCounted(message) {
        if (typeof message !== 'object' || message === null) return true
        const { method, id } = message as { method?: unknown; id?: unknown }
        if (method === undefined) return id !== HELLO_ID
        return method !== HELLO && features.isCounted(String(method))
      },
      snapshot: () => snapshotOf(core),
      stop: () => {
        if (core.tapped === wireTap) core.tap(undefined)
      },
    }
  },
}
