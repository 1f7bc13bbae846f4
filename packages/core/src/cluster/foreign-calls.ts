import type { LiveChannel } from '../channels/live-channel.js'

/** The calls of other nodes that run at one channel. */
interface Serving {
  count: number
  /** Called when none runs any more. */
  readonly waiting: (() => void)[]
}

/** The calls of other nodes that run at channels of this one: an endpoint that is closed lets them be answered. */
export class ForeignCalls {
  readonly #serving = new Map<LiveChannel, Serving>()

  /** A call begins. @returns what must be called once, when its answer was handed to the engine. */
  begin(channel: LiveChannel): () => void {
    const serving = this.#serving.get(channel) ?? { count: 0, waiting: [] }
    this.#serving.set(channel, serving)
    serving.count++
    return () => {
      if (--serving.count > 0) return
      this.#serving.delete(channel)
      for (const resolve of serving.waiting) resolve()
    }
  }

  /** Resolves when no call of another node runs at the channel. */
  async whenNone(channel: LiveChannel): Promise<void> {
    const serving = this.#serving.get(channel)
    if (serving) await new Promise<void>((resolve) => serving.waiting.push(resolve))
  }
}
