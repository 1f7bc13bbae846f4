import type { MaybeAsync } from '../base/maybe-async.js'
import type { CallOptions, SendOptions } from '../calls/functions.js'
import type { UntypedSide } from '../calls/peer.js'
import { assertSignal } from '../calls/pending-calls.js'
import { SharedNotification } from '../calls/shared-notification.js'
import { type Audience, inheritCall, listed, notifyAll } from '../channels/audience.js'
import type { LiveChannel } from '../channels/live-channel.js'
import { assertOptions } from '../errors/assert-options.js'
import type {
  AnyRef,
  ClusterAudience,
  ClusterOutcome,
  Member,
  PresenceEvent,
  Unreached,
} from '../server/cluster-audience.js'
import type { GiveOutcome, GroupCall } from './gathers.js'
import { memberOf, type ToldMember } from './members.js'
import type { Published } from './publish-notification.js'

/** The functions of a node that audiences over all nodes use. */
export interface NodesAudienceHost {
  /** The id of this node. */
  readonly node: string
  /** Calls the targets of all other nodes. Resolves when there are no more outcomes; never rejects. */
  call(call: GroupCall, give: GiveOutcome): Promise<void>
  /** Finds out who is in a group at all other nodes. */
  members(
    of: Pick<GroupCall, 'group' | 'except'>,
    what: 'members' | 'count',
    give: (id: string, node: string, told: unknown) => void,
  ): Promise<Unreached[]>
  describe(channel: LiveChannel, group: string | undefined): ToldMember
  watch(
    group: string | undefined,
    except: ReadonlySet<string>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<PresenceEvent, void, undefined>
  /** Publishes a notification for all other nodes. */
  publish(
    group: string | undefined,
    shared: SharedNotification,
    except: ReadonlySet<string>,
    options: CallOptions | undefined,
  ): MaybeAsync<Published>
}

/** The audience of the channels of a group, or of all channels, at all nodes; without its types. */
export class NodesAudience implements ClusterAudience<UntypedSide, LiveChannel> {
  readonly here: Audience<UntypedSide, LiveChannel>
  readonly #host: () => NodesAudienceHost
  readonly #group: string | undefined
  readonly #except: ReadonlySet<string>

  /** @param group undefined for all channels. */
  constructor(
    host: () => NodesAudienceHost,
    group: string | undefined,
    here: Audience<UntypedSide, LiveChannel>,
    except: ReadonlySet<string> = NONE,
  ) {
    this.#host = host
    this.#group = group
    this.here = here
    this.#except = except
  }

  except(channels: AnyRef | Iterable<AnyRef>): NodesAudience {
    const ids = listed(channels).map((ref) => (typeof ref === 'string' ? ref : ref.id))
    const except = new Set([...this.#except, ...ids])
    return new NodesAudience(this.#host, this.#group, this.here.except(ids), except)
  }

  async notify(
    method: string,
    params?: unknown,
    options?: CallOptions,
  ): Promise<{ here: number; elsewhere: Published }> {
    const shared = new SharedNotification(method, params)
    const elsewhere = this.#host().publish(this.#group, shared, this.#except, options)
    const here = await notifyAll([...this.here], shared, options)
    return { here, elsewhere: await elsewhere }
  }

  async call(
    method: string,
    params?: unknown,
    options?: SendOptions,
  ): Promise<ClusterOutcome<unknown, LiveChannel>[]> {
    const far = new Map<string, Placed[]>()
    const [here] = await Promise.all([
      this.here.call(method, params as never, options as never),
      this.#host().call(this.#call(method, params, options), (outcome, at) => {
        const ofNode = far.get(outcome.node)
        if (ofNode) ofNode.push({ outcome, at })
        else far.set(outcome.node, [{ outcome, at }])
      }),
    ])
    const { node } = this.#host()
    const all: unknown[] = here.map((outcome) => ({ ...outcome, node }))
    for (const ofNode of far.values()) {
      for (const { outcome } of ofNode.sort((a, b) => a.at - b.at)) all.push(outcome)
    }
    return all as ClusterOutcome<unknown, LiveChannel>[]
  }

  async members(): Promise<{ members: Member[]; unreached: Unreached[] }> {
    const host = this.#host()
    const group = this.#group
    const members = [...this.here].map((channel) =>
      memberOf(channel.id, host.node, host.describe(channel, group)),
    )
    const unreached = await host.members(this.#of, 'members', (id, node, told) =>
      members.push(memberOf(id, node, told)),
    )
    return { members, unreached }
  }

  async count(): Promise<{ count: number; unreached: Unreached[] }> {
    let count = this.here.size
    const unreached = await this.#host().members(this.#of, 'count', () => count++)
    return { count, unreached }
  }

  watch(options: { signal?: AbortSignal } = {}): AsyncGenerator<PresenceEvent, void, undefined> {
    assertOptions('watch', options, WATCH_OPTIONS)
    const signal = assertSignal('watch', options.signal)
    return this.#host().watch(this.#group, this.#except, signal)
  }

  async *each(
    method: string,
    params?: unknown,
    options?: SendOptions,
  ): AsyncGenerator<ClusterOutcome<unknown, LiveChannel>, void, undefined> {
    const given = assertSignal(method, options?.signal)
    // Aborts when the loop over the outcomes is left, or when the caller's signal does.
    const leaving = new AbortController()
    const { signal } = leaving
    const giveUp = () => leaving.abort(given?.reason)
    if (given) inheritCall(given, signal)
    if (given?.aborted) giveUp()
    else given?.addEventListener('abort', giveUp, { once: true })
    const arrived: ClusterOutcome<unknown, LiveChannel>[] = []
    let wake = () => {}
    let open = 2
    const give = (outcome: unknown) => {
      arrived.push(outcome as ClusterOutcome<unknown, LiveChannel>)
      wake()
    }
    const ended = () => {
      open--
      wake()
    }
    const all = { ...options, signal }
    void this.#eachHere(method, params, all, give).then(ended)
    void this.#host()
      .call(this.#call(method, params, all), give)
      .then(ended)
    try {
      for (;;) {
        const outcome = arrived.shift()
        if (outcome) yield outcome
        else if (open === 0) return
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      given?.removeEventListener('abort', giveUp)
      leaving.abort()
    }
  }

  async #eachHere(
    method: string,
    params: unknown,
    options: SendOptions,
    give: (outcome: unknown) => void,
  ): Promise<void> {
    const { node } = this.#host()
    for await (const outcome of this.here.each(method, params as never, options as never)) {
      give({ ...outcome, node })
    }
  }

  get #of(): Pick<GroupCall, 'group' | 'except'> {
    return { group: this.#group, except: this.#except }
  }

  #call(method: string, params: unknown, options: SendOptions | undefined): GroupCall {
    return { group: this.#group, method, params, options, except: this.#except }
  }
}

/** An outcome, with the place of its target among those of its node. */
interface Placed {
  readonly outcome: ClusterOutcome<unknown>
  readonly at: number
}

const WATCH_OPTIONS = { signal: 'elsewhere' } as const

const NONE: ReadonlySet<string> = new Set()
