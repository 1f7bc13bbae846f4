import type { Feature } from '../../calls/feature.js'
import {
  assertDiscovery,
  callableNames,
  DISCOVER,
  DiscoveryRate,
  undiscoverable,
} from './discover.js'

/** Discovery: a side answers the request for the methods that the caller may call. */
export function discovery(): Feature {
  return FEATURE
}

const FEATURE: Feature = {
  name: 'discovery',
  resolve({ discover }) {
    assertDiscovery(discover)
    return { discover }
  },
  requests: {
    [DISCOVER]: {
      kind: 'method',
      async handler(channel, names, mayCall) {
        const { discover } = channel.kind.settings
        if (!discover) throw undiscoverable()
        channel.stateOf(FEATURE, () => new DiscoveryRate()).take()
        const { side: sideName, localSide: side } = channel.kind
        const callable = await callableNames(names, mayCall)
        return () => discover({ sideName, side, names: callable })
      },
    },
  },
}
