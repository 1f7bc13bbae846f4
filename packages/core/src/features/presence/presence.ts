import type { ChannelContext } from '../../calls/channel-context.js'
import type { Feature } from '../../calls/feature.js'
import { assertDuration } from '../../errors/assert-number.js'
import { readMethods } from '../../link/hello.js'
import { MountWait } from './mount-wait.js'
import { ToldMethods } from './told-methods.js'

/** Presence: a server knows which methods of a client have a handler, and calls wait until a handler is exposed. */
export function presence(): Feature {
  return FEATURE
}

const METHODS = 'rpc.methods'
const MOUNTS = {}

/** Client: what its server knows of its methods. */
function toldOf(channel: ChannelContext): ToldMethods | undefined {
  if (channel.kind.side !== 'client') return undefined
  return channel.stateOf(
    FEATURE,
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

const FEATURE: Feature = {
  name: 'presence',
  resolve: ({ waitForMount = 0 }) => ({
    waitForMount: assertDuration('waitForMount', waitForMount),
  }),
  hello(channel) {
    const methods = toldOf(channel)?.greet()
    return methods ? { methods } : {}
  },
  ready(channel, hello) {
    if (channel.kind.side === 'client') toldOf(channel)?.catchUp()
    else if (hello) tell(channel, ('attempt' in hello && hello.methods) || [])
  },
  handlersChanged: (channel) => toldOf(channel)?.changed(),
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
  mounts: {
    wait: (channel, method, ms, signal) => waitOf(channel).for(method, ms, signal),
    mounted: (channel, method) => channel.stateIfAny<MountWait>(MOUNTS)?.mounted(method),
  },
}

function tell(channel: ChannelContext, methods: readonly string[]): void {
  if (channel.kind.side === 'server') channel.exposes(methods)
}
