import { MAX_TIMER_MS } from '../base/max-timer.js'
import type { CallContext } from '../calls/call-context.js'
import type { TimeLimits } from '../calls/call-timer.js'
import type { ChannelHooks } from '../calls/hooks.js'
import type { Middleware } from '../calls/middleware-call.js'
import { notFound } from '../calls/refusals.js'
import { relayedError } from '../calls/relayed-error.js'
import { type ArrivalHost, arrive } from '../channels/arrival.js'
import { ChannelKind } from '../channels/channel-kind.js'
import type { LiveChannel } from '../channels/live-channel.js'
import { passOn } from '../channels/pass-on.js'
import type { AnyClient, UntypedClientOptions } from '../client/client.js'
import type { ClientSettings } from '../client/client-options.js'
import { LastingClient } from '../client/lasting-client.js'
import type { FlatSide } from '../contract/contract.js'
import { definitionOf, schemaOf } from '../contract/definition.js'
import { withOrigin } from '../errors/error-origin.js'
import { RpcDisconnectedError } from '../errors/errors.js'
import { quoted } from '../errors/quoted.js'
import type { ChannelLimits } from '../link/limits.js'
import type { ErrorContext } from '../logging/error-context.js'
import { OF_CLIENTS } from '../presets/of-clients.js'
import { OF_ENDPOINTS } from '../presets/of-endpoints.js'
import { Sessions } from '../server/sessions.js'
import { CloseCode } from '../transport/close-codes.js'
import type { Transport } from '../transport/transport.js'
import type { Format } from '../wire/format.js'
import { addressed, MIDDLEWARE_OF_LINKS } from './addressed.js'
import type { ClusterNode } from './cluster-node.js'
import type { Gone } from './directory.js'
import { Kind } from './envelope.js'
import type { ForeignCalls } from './foreign-calls.js'
import type { NodeRecord } from './node-record.js'
import { Pipes } from './pipes.js'

/** The functions of an endpoint that the links of its node use. */
export interface LinksHost {
  /** The methods of the clients, by their names on the wire; undefined without a contract. */
  readonly clients: FlatSide | undefined
  readonly format: Format
  readonly limits: ChannelLimits
  readonly timeout: TimeLimits
  /** The calls of other nodes that run here. */
  readonly calls: ForeignCalls
  /** The middleware of calls to other nodes. */
  readonly use: Middleware | readonly Middleware[]
  /** The channel of this node with this id, if there is one. */
  channel(id: string): LiveChannel | undefined
  /** Something failed that no caller learns of. */
  error(thrown: unknown, context: ErrorContext): void
}

/** Serves a call of another node that is for this node itself, and not for one of its channels. */
export type LinkService = (node: string, params: unknown, context: CallContext) => unknown

const MIB = 1024 * 1024
/** How much larger than a message of a client one of a link may be, in bytes: it has more members. */
export const LINK_EXTRA = 64 * 1024
/** How long another node may take to accept a link, in ms. */
const OPEN_MS = 500
/** How long another node may take to say hello over a link, in ms. */
const HELLO_MS = 2_000
/** When the other end of a link is asked for a sign of life, and how long it may take, in ms. */
const HEARTBEAT = { intervalMs: 2_000, timeoutMs: 2_000 }
/** How much longer than an outage a node keeps the sessions of others, in ms. */
const KEPT_MS = 5_000

/**
 * The links between this node and others: sessions over messages of the engine. A node makes a link to another one with
 * its first call of the other's clients, or its first notification for that node.
 */
export class Links {
  readonly #node: ClusterNode
  readonly #host: LinksHost
  readonly #pipes: Pipes
  readonly #services = new Map<string, LinkService>()
  /** Those to other nodes. */
  readonly #made = new Map<string, NodeLink>()
  /** Those of other nodes, and those whose session waits. */
  readonly #served = new Set<LiveChannel>()
  readonly #sessions: Sessions
  readonly #arrivals: ArrivalHost
  readonly #options: Omit<LinkOptions, 'transport'>
  #isOut = false
  #toMany: NodeLink | undefined

  constructor(node: ClusterNode, host: LinksHost) {
    this.#node = node
    this.#host = host
    const { codec, frameType } = host.format
    const error = (_: unknown, thrown: unknown, context: ErrorContext) =>
      host.error(thrown, context)
    const { outageMs } = node.options
    const limits = limitsOf(host.limits)
    const both = { codec, frameType, limits, logger: false, onError: error } as const
    this.#options = {
      ...both,
      // A lost message shows by the number of the next one, so that there must be one.
      heartbeat: HEARTBEAT,
      timeout: host.timeout,
      use: host.use,
      methods: {},
      retry: { minDelayMs: 20, maxDelayMs: 200 },
      // If the hello or its answer is lost, no later message shows that.
      connectTimeoutMs: HELLO_MS,
      autoConnect: false,
    }
    this.#sessions = new Sessions({
      windowMs: Math.min(Math.ceil(outageMs) + KEPT_MS, MAX_TIMER_MS),
      maxDetached: 10_000,
      maxDetachedBytes: 256 * MIB,
    })
    const kind = new ChannelKind({
      contract: undefined,
      side: 'server',
      options: {
        ...both,
        heartbeat: false,
        helloTimeoutMs: HELLO_MS,
        fallback: (params, context) => this.#serve(params, context as CallContext),
      },
      features: [...OF_ENDPOINTS, addressed(this.#host.clients)],
      events: {
        open: (channel) => this.#served.add(channel),
        down: (channel) => this.#sessions.down(channel),
        ended: (channel, info, recv) => {
          this.#served.delete(channel)
          this.#sessions.ended(channel, info, recv)
        },
        change: (channel) => this.#sessions.changed(channel),
      },
    })
    this.#arrivals = {
      kind,
      needsHello: true,
      receive: (hello, arrival) => this.#sessions.receive(hello, arrival, { spreadMs: 0 }),
    }
    this.#pipes = new Pipes({ credit: undefined }, node.postOf(Kind.link), (pipe) => {
      pipe.accept()
      arrive(this.#arrivals, pipe, { identity: pipe.node })
    })
    node.on(Kind.link, ({ body }, { id }) => this.#pipes.hearAll(id, body))
    node.watch({
      up: () => {
        this.#isOut = false
        this.#pipes.up()
      },
      down: (why) => this.#pipes.down({ code: 1006, reason: `The engine is down: ${why}` }),
      outage: () => {
        this.#isOut = true
        this.#loseAll(CUT_OFF)
      },
      gone: (record, why) => this.#gone(record, why),
      renewed: () => {
        this.#loseAll('the other nodes had given up this one, which goes on in a new epoch')
        for (const channel of [...this.#served]) channel.end(RENEWED)
        this.#pipes.endAll(RENEWED)
      },
    })
  }

  /** Serves calls of other nodes that are for no channel. */
  serve(name: string, service: LinkService): void {
    this.#services.set(name, service)
  }

  /**
   * The link to another node; it is made if there is none. If the node is not there, calls over it end as calls that were
   * not sent.
   */
  to(node: string): NodeLink {
    const link = this.#made.get(node)
    if (link) return link
    const { state } = this.#node
    if (state === 'left') return this.#nowhere('this endpoint was closed')
    if (this.#isOut) return this.#nowhere(CUT_OFF)
    const why = state === 'joining' ? undefined : this.#whyNone(node)
    return why === undefined ? this.#make(node) : this.#nowhere(why)
  }

  /** The same for a call to one of its clients: a node that is being closed gets no new ones. */
  toCall(node: string): NodeLink {
    const isLeaving = this.#node.directory.get(node)?.isLeaving
    return isLeaving ? this.#nowhere('its node is being closed') : this.to(node)
  }

  /** Stands for the clients of all other nodes, for middleware of calls to many: nothing can be called over it. */
  get toMany(): NodeLink {
    this.#toMany ??= this.#nowhere('a call to many clients has no channel of its own')
    return this.#toMany
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    const made = [...this.#made.values()]
    this.#loseAll('this endpoint was closed')
    for (const channel of [...this.#served]) channel.end(CLOSED)
    this.#sessions.close(CLOSED)
    await Promise.all(made.map((link) => link.close()))
    this.#pipes.endAll(CLOSED)
  }

  #make(node: string): NodeLink {
    const link: NodeLink = new NodeLink(this.#host.clients, {
      ...this.#options,
      transport: () => this.#dial(node, link),
    })
    this.#made.set(node, link)
    void link.connect()
    let release: (() => void) | undefined
    // A node that owes an answer is looked for.
    link.subscribe(({ inFlight, queued }) => {
      const record = this.#node.directory.get(node)
      const isOwed = inFlight + queued > 0 && record !== undefined
      if (isOwed) release ??= this.#node.failureDetector.owes(record)
      else {
        release?.()
        release = undefined
      }
    })
    return link
  }

  async #dial(node: string, link: NodeLink): Promise<Transport> {
    await this.#node.ready()
    const why = this.#whyNone(node)
    if (why !== undefined) {
      this.#lose(node, why)
      throw new Error(why)
    }
    const pipe = this.#pipes.to(node)
    const answer = await pipe.open(undefined, OPEN_MS)
    if (answer?.isAccepted && this.#made.get(node) === link) return pipe
    pipe.close()
    throw new Error('the other node does not answer')
  }

  /** Why a node can't be reached; undefined if it may be. */
  #whyNone(node: string): string | undefined {
    if (node === this.#node.id) return 'the client that was called is not there any more'
    const record = this.#node.directory.get(node)
    if (record?.isForeign) return 'its node has another version of the protocol between nodes'
    return record ? undefined : 'its node is not there: it was closed, it died, or it never was'
  }

  #nowhere(why: string): NodeLink {
    const link = new NodeLink(this.#host.clients, { ...this.#options, transport: notDialled })
    link.lose(why)
    return link
  }

  #loseAll(why: string): void {
    for (const node of [...this.#made.keys()]) this.#lose(node, why)
  }

  #lose(node: string, why: string): void {
    const link = this.#made.get(node)
    this.#made.delete(node)
    link?.lose(why)
  }

  #gone({ id }: NodeRecord, why: Gone): void {
    const reason = `its node ${WHY_GONE[why]}`
    this.#lose(id, reason)
    const info = { code: CloseCode.goingAway, reason }
    for (const channel of [...this.#served]) if (channel.identity === id) channel.end(info)
    this.#pipes.endOf(id, info)
  }

  #serve(params: unknown, context: CallContext): unknown {
    const { method, to } = context
    if (to === undefined) {
      const service = this.#services.get(method)
      if (!service) throw notFound(method)
      return service(context.identity as unknown as string, params, context)
    }
    const channel = this.#host.channel(to)
    if (!channel) {
      const message = `${quoted(method)} was not received: the client that was called is not there any more`
      throw relayedError(new RpcDisconnectedError(message, 'not-received', { method }))
    }
    const { clients } = this.#host
    if (clients) {
      const definition = definitionOf(clients, method)
      if (!definition) throw withOrigin(notFound(method), { isOwn: false, ran: false })
      // This node may have an older contract than the caller, in which the method tells none.
      if (!schemaOf(definition, 'progress')) delete context.report
    }
    const passed = passOn(channel, params, context, { passed: context.meta })
    if (context.kind === 'method') void this.#untilAnswered(channel, passed)
    return passed
  }

  async #untilAnswered(channel: LiveChannel, passed: unknown): Promise<void> {
    const end = this.#host.calls.begin(channel)
    await Promise.resolve(passed).catch(() => {})
    // In a later turn, so that the answer is written first.
    setImmediate(end)
  }
}

type LinkOptions = ClientSettings &
  ChannelHooks<AnyClient> & { transport: () => Transport | Promise<Transport>; methods: object }

/** A link to another node. */
export class NodeLink extends LastingClient {
  constructor(clients: FlatSide | undefined, options: LinkOptions) {
    // Of what surrounds calls, the first one counts.
    const features = [MIDDLEWARE_OF_LINKS, ...OF_CLIENTS, addressed(clients)]
    super(undefined, options as UntypedClientOptions, features)
  }

  /** Ends it for good: calls that were sent may have run, and others are not sent. @param why as part of an error. */
  lose(why: string): void {
    this.core.refuse({ message: why })
    void this.close()
    // Later calls are told why, and not that a client was closed.
    this.core.refuse({ message: why })
  }
}

const CUT_OFF = 'this node has lost the engine of its cluster'
const RENEWED = { code: CloseCode.goingAway, reason: 'The node goes on in a new epoch' }
const CLOSED = { code: CloseCode.goingAway, reason: 'The node is closed' }

const WHY_GONE: Readonly<Record<Gone, string>> = {
  left: 'was closed',
  dead: 'died',
  silent: 'was silent for too long',
  renewed: 'had given up its calls',
}

function notDialled(): never {
  throw new Error('it is not used')
}

/** A link carries the calls of all clients of a node, so that the limits of a single client do not apply to it. */
function limitsOf(limits: ChannelLimits): Partial<ChannelLimits> {
  const { depth, streamItems, streamBytes, allStreamBytes } = limits
  return {
    depth,
    streamItems,
    streamBytes,
    allStreamBytes,
    message: limits.message + LINK_EXTRA,
    running: Number.POSITIVE_INFINITY,
    runningBytes: Number.POSITIVE_INFINITY,
    messagesPerSecond: Number.POSITIVE_INFINITY,
    bytesPerSecond: Number.POSITIVE_INFINITY,
    sendBuffer: 8 * MIB,
    answerBytes: 256 * MIB,
    queuedMessages: 65_536,
    queuedBytes: 64 * MIB,
    unackedMessages: 65_536,
    unackedBytes: 16 * MIB,
  }
}
