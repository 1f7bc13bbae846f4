import type { ChannelContext } from '../../calls/channel-context.js'
import type { Feature } from '../../calls/feature.js'
import { readMethods } from '../../link/hello.js'
import { OtherMethods } from './other-methods.js'
import { METHODS, PRESENCE_OF_CLIENTS } from './presence-of-clients.js'

/** Presence: a server knows which methods of a client have a handler, and calls wait until a handler is exposed. */
export function presence(): Feature {
  return FEATURE
}

const FEATURE: Feature = {
  ...PRESENCE_OF_CLIENTS,
  ready(channel, hello) {
    if (channel.kind.side === 'client') PRESENCE_OF_CLIENTS.ready?.(channel, hello)
    else if (hello) tell(channel, ('attempt' in hello && hello.methods) || [])
  },
  methodsThere: (host) => new OtherMethods(host),
  controls: {
    [METHODS]: {
      isCounted: false,
      receive(channel, params) {
        const methods = readMethods((params as { exposed?: unknown } | undefined)?.exposed)
        if (!methods) return `an ${METHODS} says exposed, an array of names`
        tell(channel, methods)
        return undefined
      },
    },
  },
}

function tell(channel: ChannelContext, methods: readonly string[]): void {
  if (channel.kind.side === 'server') channel.exposes(methods)
}
