import type { Feature } from '../../calls/feature.js'
import { notFound } from '../../calls/refusals.js'

/** The request for the members of a group (docs/protocol.md, "Members"). */
export const MEMBERS = 'rpc.members'

/** Members: a server tells clients who is in its groups. */
export function members(): Feature {
  return FEATURE
}

const FEATURE: Feature = {
  name: 'members',
  resolve: ({ members }) => ({ members }),
  requests: {
    [MEMBERS]: {
      kind: 'stream',
      async handler(channel) {
        const { members } = channel.kind.settings
        if (members) return members
        throw notFound(MEMBERS)
      },
    },
  },
}
