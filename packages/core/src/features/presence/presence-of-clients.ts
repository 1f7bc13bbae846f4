import type { ChannelContext } from '../../calls/channel-context.js'
import type { Feature } from '../../calls/feature.js'
import { assertDuration } from '../../errors/assert-number.js'
import { MountWait } from './mount-wait.js'

export const METHODS = 'rpc.methods'
const TOLD = {}
const MOUNTS = {}

/** Client: what its server knows of its methods. */
function toldOf(channel: ChannelContext): ToldMethods | undefined {
  if (channel.kind.side !== 'client') return undefined
  return channel.stateOf(TOLD, () => new ToldMethods(channel))
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

/**
 * Tells the server which methods have a handler here: with each hello, and if they have changed by the end of a turn.
 * If a handler is removed and added again in one turn (a component under StrictMode), nothing is sent.
 */
class ToldMethods {
  readonly #channel: ChannelContext
  /** What the server knows, as JSON. */
  #told: string | undefined
  #isDue = false

  constructor(channel: ChannelContext) {
    this.#channel = channel
  }

  /** The names for a hello; undefined if there are none. */
  greet(): readonly string[] | undefined {
    const exposed = this.#exposed
    this.#told = JSON.stringify(exposed)
    return exposed.length > 0 ? exposed : undefined
  }

  /** The methods may have changed. */
  changed(): void {
    if (this.#isDue) return
    this.#isDue = true
    queueMicrotask(() => {
      this.#isDue = false
      this.catchUp()
    })
  }

  /** Sends changes that were not sent yet. If nothing can be sent now, the next hello tells the server. */
  catchUp(): void {
    const exposed = this.#exposed
    const now = JSON.stringify(exposed)
    if (now === this.#told) return
    if (this.#channel.link?.sendControl(METHODS, { exposed })) this.#told = now
  }

  get #exposed(): readonly string[] {
    return [...this.#channel.exposed].sort()
  }
}
