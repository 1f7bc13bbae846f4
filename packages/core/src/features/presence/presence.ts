import type { ChannelContext } from '../../calls/channel-context.js'
import type { Feature } from '../../calls/feature.js'
import { definitionOf } from '../../contract/definition.js'
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
    else if (hello) receiveMethods(channel, ('attempt' in hello && hello.methods) || [])
  },
  methodsThere: otherMethodsOf,
  controls: {
    [METHODS]: {
      isCounted: false,
      receive(channel, params) {
        const methods = readMethods((params as { exposed?: unknown } | undefined)?.exposed)
        if (!methods) return `exposed of ${METHODS} must be an array of names`
        receiveMethods(channel, methods)
        return undefined
      },
    },
  },
}

function otherMethodsOf(channel: ChannelContext): OtherMethods {
  channel.methodsThere ??= new OtherMethods(channel)
  return channel.methodsThere as OtherMethods
}

/** The client has sent the names of its methods that have a handler now. Names that are not in the contract are ignored. */
function receiveMethods(channel: ChannelContext, names: readonly string[]): void {
  const { side, remoteSide } = channel.kind
  if (side !== 'server') return
  const known = remoteSide ? names.filter((name) => definitionOf(remoteSide, name)) : names
  otherMethodsOf(channel).set(known)
}
