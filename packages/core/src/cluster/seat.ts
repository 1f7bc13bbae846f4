import type { Middleware } from '../calls/middleware-call.js'
import type { UntypedSide } from '../calls/peer.js'
import type { Audience } from '../channels/audience.js'
import type { GroupEvents } from '../channels/groups.js'
import type { LiveChannel } from '../channels/live-channel.js'
import { MemberInfos } from '../channels/member-infos.js'
import { flatSideOf } from '../contract/path.js'
import { resolveMiddleware } from '../features/middleware/run-middleware.js'
import type { ErrorContext } from '../logging/error-context.js'
import { logFailure } from '../logging/log.js'
import type { ClusterAudience } from '../server/cluster-audience.js'
import type { ClusterSeat, SeatHost } from '../server/cluster-seat.js'
import type { WatchGroup } from '../server/group-events.js'
import type { RemoteChannel } from '../server/remote-channel.js'
import type { NodeRuns } from '../server/wait-elsewhere.js'
import type { Format } from '../wire/format.js'
import { randomHex } from '../wire/random-hex.js'
import { PASSED } from './addressed.js'
import {
  CLOSE,
  type CloseParams,
  ClusterChannel,
  type RemoteChannelHost,
} from './cluster-channel.js'
import type { ClusterNode } from './cluster-node.js'
import { ForeignCalls } from './foreign-calls.js'
import { Gathers } from './gathers.js'
import { GroupMiddleware } from './group-middleware.js'
import { GroupServer } from './group-server.js'
import { Interest } from './interest.js'
import { nodeRuns, serveKeyedWaits } from './keyed-waits.js'
import { type IdentityOptions, NodeLanes, type RelayOptions } from './lanes.js'
import { LINK_EXTRA, Links } from './links.js'
import { describeMember } from './members.js'
import { NodesAudience, type NodesAudienceHost } from './nodes-audience.js'
import { type Left, PresenceTeller } from './presence-teller.js'
import { Publisher } from './publish-notification.js'
import { ClusterSessionRouter } from './session-router.js'
import { Watches } from './watches.js'

/** The options of a cluster for its links and lanes. */
export interface SeatOptions {
  /** Undefined: sessions of other nodes are not relayed. */
  readonly relay: Required<RelayOptions> | undefined
  readonly identity: IdentityOptions | undefined
  readonly use: Middleware | readonly Middleware[]
}

/** An endpoint's place in its cluster. It connects the parts of a node with each other and with the endpoint. */
export class Seat implements ClusterSeat {
  readonly groups: GroupEvents<LiveChannel>
  readonly runs: NodeRuns
  readonly #node: ClusterNode
  /** The channels of this node that are open, or whose session waits for its client. */
  readonly #channels = new Map<string, LiveChannel>()

  readonly features = [PASSED]
  readonly #options: SeatOptions
  readonly #interest: Interest
  #links: Links | undefined
  #lanes: NodeLanes | undefined
  #sessionRouter: ClusterSessionRouter | undefined
  #remoteHost: RemoteChannelHost | undefined
  readonly #infos = new MemberInfos()
  readonly #calls = new ForeignCalls()
  #format: Format | undefined
  #groupUse: GroupMiddleware | undefined
  #gathers: Gathers | undefined
  #server: GroupServer | undefined
  #teller: PresenceTeller | undefined
  #watches: Watches | undefined
  #audienceHost: NodesAudienceHost | undefined

  constructor(node: ClusterNode, options: SeatOptions) {
    this.#node = node
    this.#options = options
    const interest = new Interest(node)
    this.#interest = interest
    this.runs = nodeRuns(node.id, () => this.#links)
    this.groups = {
      first: (group) => interest.first(group),
      last: (group) => interest.last(group),
      joining: (group, member, options) => {
        if (!this.#format || !this.#infos.keep(group, member, options, this.#format)) return
        if (member.groups.has(group)) this.#changed(group, member)
      },
      joined: (group, member) => this.#joined(group, member),
      left: (group, member) => this.#left(group, member, member.hasEnded ? 'ended' : 'left'),
    }
  }

  readonly newId = (): string => this.#node.id + randomHex(32)

  start(host: SeatHost): void {
    const { contract, format, limits, timeout, logger, windowMs } = host
    const { codec, frameType: frames } = format
    const { relay, identity, use } = this.#options
    const node = this.#node
    const channel = (id: string) => this.#channels.get(id)
    const error = (thrown: unknown, context: ErrorContext) => logFailure(logger, thrown, context)
    const calls = this.#calls
    const clients = flatSideOf(contract?.client)
    const links = new Links(node, { clients, format, limits, timeout, calls, use, channel, error })
    links.serve(CLOSE, (_, params) => this.#close(params))
    serveKeyedWaits(links, (key, signal) => host.waitForRun(key, signal))
    this.#links = links
    this.#remoteHost = {
      node: node.id,
      clients: contract?.client,
      channel,
      link: (to) => links.toCall(to),
    }
    if (relay && windowMs !== undefined) {
      const findSession: SeatHost['findSession'] = (resume, visitor) =>
        host.findSession(resume, visitor)
      const accept: SeatHost['accept'] = (transport, visitor) => host.accept(transport, visitor)
      const lanesHost = { codec, windowMs, findSession, accept, channel, error }
      const lanes = new NodeLanes(node, lanesHost, relay, identity)
      this.#lanes = lanes
      this.#sessionRouter = new ClusterSessionRouter({ lanes, open: accept })
    }
    const membersOf = (group: string | undefined) =>
      group === undefined ? host.channels : host.membersOf(group)
    const resolved = resolveMiddleware(use)
    const groupUse = resolved && new GroupMiddleware(resolved)
    this.#groupUse = groupUse
    const peer = () => links.toMany
    const publisher = new Publisher(node, { clients, format, use: groupUse, peer, error })
    const gathers = new Gathers(node, links, {
      clients,
      format,
      timeout,
      use: groupUse,
      peer,
      error,
      channel: (id) => this.channel(id),
    })
    this.#gathers = gathers
    const describe = (channel: LiveChannel, group: string | undefined) =>
      describeMember(channel, group === undefined ? undefined : this.#infos.of(group, channel))
    this.#format = format
    const teller = new PresenceTeller(node, { format, describe })
    this.#teller = teller
    const watched = (group: string | undefined) => teller.watched(group)
    const served = { clients, format, membersOf, watched, describe, calls, error }
    this.#server = new GroupServer(node, links, served)
    const watches = new Watches({ node, gathers, format, membersOf, describe })
    this.#watches = watches
    this.#audienceHost = {
      node: node.id,
      call: (call, give) => gathers.call(call, give),
      describe,
      members: (of, what, give) => gathers.members(of, what, give),
      watch: (group, except, signal) => watches.watch(group, except, signal),
      publish: (group, shared, except, options) =>
        publisher.publish(group, shared, except, options),
    }
    const maxMessageBytes = limits.message + LINK_EXTRA
    void node.start({ codec: codec.name, frames, maxMessageBytes, logger })
  }

  get sessionRouter(): ClusterSessionRouter | undefined {
    return this.#sessionRouter
  }

  readonly asTransferred = (identity: unknown): unknown =>
    this.#lanes ? this.#lanes.asTransferred(identity) : identity

  channel(id: string): RemoteChannel<UntypedSide> {
    return new ClusterChannel(id, this.#remoteHost as RemoteChannelHost)
  }

  audience(
    group: string | undefined,
    here: Audience<UntypedSide, LiveChannel>,
  ): ClusterAudience<UntypedSide, LiveChannel> {
    // It is made before the seat is started, and called afterwards.
    const host = () => this.#audienceHost as NodesAudienceHost
    return new NodesAudience(host, group, here)
  }

  ready(): Promise<void> {
    return this.#node.ready()
  }

  #joined(group: string | undefined, channel: LiveChannel): void {
    this.#teller?.joined(group, channel)
    this.#watches?.joined(group, channel)
  }

  #changed(group: string | undefined, channel: LiveChannel): void {
    this.#teller?.changed(group, channel)
    this.#watches?.changed(group, channel)
  }

  #left(group: string | undefined, channel: LiveChannel, why: Left): void {
    this.#teller?.left(group, channel, why)
    this.#watches?.left(group, channel, why)
    if (group !== undefined) this.#infos.forget(group, channel)
  }

  opened(channel: LiveChannel): void {
    this.#channels.set(channel.id, channel)
    this.#joined(undefined, channel)
  }

  changed(channel: LiveChannel): void {
    if (!this.#channels.has(channel.id)) return
    this.#changed(undefined, channel)
    for (const group of channel.groups) this.#changed(group, channel)
  }

  readonly watch: WatchGroup = (group, listener) =>
    // Only a channel watches, and there are channels only after the start.
    (this.#watches as Watches).listen(group, listener)

  ended(channel: LiveChannel): void {
    if (this.#channels.delete(channel.id)) this.#left(undefined, channel, 'ended')
  }

  retire(): void {
    this.#node.retire()
  }

  whenServed(channel: LiveChannel): Promise<void> {
    return this.#calls.whenNone(channel)
  }

  async stop(): Promise<void> {
    this.#interest.close()
    this.#teller?.close()
    this.#watches?.close()
    this.#gathers?.close()
    this.#groupUse?.close()
    this.#server?.close()
    this.#lanes?.close()
    await this.#links?.close()
    await this.#node.stop()
  }

  /** Another node ends one of this node's channels. @returns whether there was one. */
  async #close(params: unknown): Promise<boolean> {
    const { id, code, reason } = Object(params) as CloseParams
    const channel = this.#channels.get(id)
    await channel?.close(code, reason)
    return channel !== undefined
  }
}
