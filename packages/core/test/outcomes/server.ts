import type { Transport } from '@flashrpc/core'
import { type Arrival, type ArrivalHost, arrive } from '../../src/channels/arrival.js'
import { ChannelKind } from '../../src/channels/channel-kind.js'
import type { LiveChannel } from '../../src/channels/live-channel.js'
import { OF_ENDPOINTS } from '../../src/presets/of-endpoints.js'
import { Sessions } from '../../src/server/sessions.js'

const LEAVING = { code: 1001, reason: 'The server is closing' }

/** A server process, as an endpoint runs one, on connections that are no sockets. */
export class ServerProcess {
  readonly channels = new Set<LiveChannel>()
  readonly #opening = new Set<Arrival>()
  readonly #sessions: Sessions | undefined
  readonly #host: ArrivalHost
  #isLeaving = false

  constructor(methods: object, windowMs: number | undefined) {
    this.#sessions = windowMs === undefined ? undefined : new Sessions({ windowMs })
    const kind = new ChannelKind({
      contract: undefined,
      side: 'server',
      features: OF_ENDPOINTS,
      options: {
        methods,
        heartbeat: false,
        logger: false,
        timeout: Number.POSITIVE_INFINITY,
        limits: { streamItems: 2 },
      },
      events: {
        open: (self) => this.channels.add(self),
        down: (self) => this.#sessions?.down(self),
        ended: (self, info, recv) => {
          this.channels.delete(self)
          this.#sessions?.ended(self, info, recv)
        },
        change: (self) => this.#sessions?.changed(self),
      },
    })
    this.#host = {
      kind,
      receive: (hello, arrival) => {
        if (this.#isLeaving) return { refuse: LEAVING }
        const told = { spreadMs: 0 }
        if (this.#sessions) return this.#sessions.receive(hello, arrival, told)
        return { accept: { sid: arrival.channel.id, resumed: false, ...told } }
      },
      settled: (arrival) => this.#opening.delete(arrival),
    }
  }

  accept(transport: Transport): void {
    this.#opening.add(arrive(this.#host, transport, {}))
  }

  /** Begins to leave: runs nothing any more that has not come yet. */
  leave(): void {
    this.#isLeaving = true
    this.#sessions?.close(LEAVING)
    this.#endOpening()
    for (const channel of this.channels) channel.retire(undefined)
  }

  /** Goes, where all that it runs is done. */
  left(): boolean {
    for (const channel of this.channels) if (!channel.isServing) channel.end(LEAVING)
    return this.channels.size === 0
  }

  /** Ends all, at once: nothing of it is left, no timer either. */
  end(): void {
    this.#isLeaving = true
    this.#sessions?.close(LEAVING)
    this.#endOpening()
    for (const channel of [...this.channels]) channel.end(LEAVING)
  }

  #endOpening(): void {
    for (const { connection } of this.#opening) connection.end(LEAVING.code, LEAVING.reason)
  }
}
