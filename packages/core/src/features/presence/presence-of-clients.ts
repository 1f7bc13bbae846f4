import type { ChannelContext } from '../../calls/channel-context.js'
import type { Feature } from '../../calls/feature.js'
import { assertDuration } from '../../errors/assert-number.js'
import { MountWait } from './mount-wait.js'

export const METHODS = 'rpc.methods'
/** The keys of the states of this feature. */
const ANNOUNCED = {}
const MOUNTS = {}

/** The announcements of a client; undefined on a server, which makes none. */
function announcedOf(channel: ChannelContext): AnnouncedMethods | undefined {
  if (channel.kind.side !== 'client') return undefined
  return channel.stateOf(ANNOUNCED, () => new AnnouncedMethods(channel))
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
    const methods = announcedOf(channel)?.forHello()
    return methods ? { methods } : {}
  },
  ready: (channel) => announcedOf(channel)?.announceChanges(),
  handlersChanged: (channel) => announcedOf(channel)?.changed(),
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
class AnnouncedMethods {
  readonly #channel: ChannelContext
  /** The names that the server knows, as JSON. */
  #told: string | undefined
  /** Whether a change is announced at the end of this turn. */
  #isDue = false

  constructor(channel: ChannelContext) {
    this.#channel = channel
  }

  /** The names for a hello; undefined if no method has a handler. */
  forHello(): readonly string[] | undefined {
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
      this.announceChanges()
    })
  }

  /** Sends changes that were not sent yet. If nothing can be sent now, the next hello tells the server. */
  announceChanges(): void {
    const exposed = this.#exposed
    const now = JSON.stringify(exposed)
    if (now === this.#told) return
    if (this.#channel.link?.sendControl(METHODS, { exposed })) this.#told = now
  }

  get #exposed(): readonly string[] {
    return [...this.#channel.exposed].sort()
  }
}
