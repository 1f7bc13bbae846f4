import type { ChannelContext } from '../../calls/channel-context.js'
import type { Feature } from '../../calls/feature.js'
import { assertDuration } from '../../errors/assert-number.js'
import { MountWait } from './mount-wait.js'
import { ToldMethods } from './told-methods.js'

export const METHODS = 'rpc.methods'
const TOLD = {}
const MOUNTS = {}

/** Client: what its server knows of its methods. */
function toldOf(channel: ChannelContext): ToldMethods | undefined {
  if (channel.kind.side !== 'client') return undefined
  return channel.stateOf(
    TOLD,
    () =>
      new ToldMethods(
        () => channel.exposed,
        (exposed) => channel.link?.sendControl(METHODS, { exposed }) ?? false,
      ),
  )
}

function waitOf(channel: ChannelContext): MountWait {
  return channel.stateOf(MOUNTS, () => new MountWait())
}

/** Presence on the side of clients: they tell which methods have a handler, and calls wait until one is exposed. */
export const PRESENCE_OF_CLIENTS: Feature = {
  name: 'presence',
  resolve: ({ waitForMount = 0 }) => ({
    waitForMount: assertDuration('waitForMount', waitForMount),
  }),
  hello(channel) {
    const methods = toldOf(channel)?.greet()
    return methods ? { methods } : {}
  },
  ready: (channel) => toldOf(channel)?.catchUp(),
  handlersChanged: (channel) => toldOf(channel)?.changed(),
  controls: {
    // A client sends it, and is sent none.
    [METHODS]: { isCounted: false, receive: () => undefined },
  },
  mounts: {
    wait: (channel, method, ms, signal) => waitOf(channel).for(method, ms, signal),
    mounted: (channel, method) => channel.stateIfAny<MountWait>(MOUNTS)?.mounted(method),
  },
}
