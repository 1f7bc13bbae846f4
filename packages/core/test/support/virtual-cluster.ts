import {
  type Contract,
  createChannel,
  type HandlerContext,
  memoryTransportPair,
} from '@flashrpc/core'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import { type ArrivalHost, arrive } from '../../src/channels/arrival.js'
import { createAudience } from '../../src/channels/audience.js'
import { ChannelKind } from '../../src/channels/channel-kind.js'
import { Groups } from '../../src/channels/groups.js'
import type { LiveChannel } from '../../src/channels/live-channel.js'
import { openOn } from '../../src/channels/open-channel.js'
import { ClusterNode, type ClusterNodeOptions } from '../../src/cluster/cluster-node.js'
import { resolveRelay } from '../../src/cluster/lanes.js'
import { Seat } from '../../src/cluster/seat.js'
import { DEFAULT_LIMITS } from '../../src/link/limits.js'
import { OF_ENDPOINTS } from '../../src/presets/of-endpoints.js'
import { Sessions } from '../../src/server/sessions.js'
import { seededRandom } from '../../src/testing/seeded-random.js'
import type { Transport } from '../../src/transport/transport.js'
import { HandedOnTransport } from './handed-on-transport.js'
import { SeededNetwork } from './seeded-network.js'

const VIRTUAL = {
  toFake: [
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'setImmediate',
    'clearImmediate',
    'performance',
    'Date',
  ],
} as const satisfies Parameters<typeof vi.useFakeTimers>[0]

/** Begins virtual time: it passes when {@link pass} lets it. `vi.useRealTimers` ends it. */
export function beginVirtualTime(): void {
  vi.useFakeTimers(VIRTUAL)
  const { setTimeout } = globalThis
  // As in Node, a timer takes a millisecond at least: else those that are set again and again would hold time up.
  globalThis.setTimeout = ((run: () => void, ms = 0, ...args: never[]) =>
    setTimeout(run, Math.max(1, ms), ...args)) as typeof setTimeout
}

/** Each test of a file, or of a `describe`, has virtual time, and must leave no timer. */
export function inVirtualTime(): void {
  beforeEach(beginVirtualTime)
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
    vi.restoreAllMocks()
  })
}

/** The real one. */
const { setImmediate: soon } = globalThis

/**
 * Lets virtual time pass, timer by timer, with all that follows from each. (`advanceTimersByTimeAsync` does the same and
 * waits a real millisecond for each timer.)
 */
export async function pass(ms: number): Promise<void> {
  let isOver = false
  setTimeout(() => {
    isOver = true
  }, ms)
  while (!isOver) {
    await new Promise<void>((resolve) => soon(resolve))
    vi.advanceTimersToNextTimer()
  }
  await new Promise<void>((resolve) => soon(resolve))
}

/** What clients of a virtual cluster have run: by the number of the call, the ids of the channels. */
export type Ran = Map<number, string[]>

/** A client of another node's session may be gone without a word. Channels in memory need none. */
const HEARTBEAT = { intervalMs: 2_000, timeoutMs: 2_000 }

/** A node in virtual time, with clients over channels in memory, and sessions of clients that dial it. */
export class VirtualNode {
  readonly node: ClusterNode
  readonly seat: Seat
  readonly channels = new Set<LiveChannel>()
  /** The ids of the channels whose client was told that a call of it was given up. */
  readonly aborted: string[] = []
  readonly #groups: Groups<LiveChannel>
  readonly #kind: ChannelKind
  readonly #sessions = new Sessions({})
  readonly #arrivals: ArrivalHost

  /**
   * @param contract has the methods of the clients; default: none is known.
   * @param methods those of the node, for clients that dial it.
   */
  constructor(options: ClusterNodeOptions, contract?: Contract, methods: object = {}) {
    this.node = new ClusterNode(options)
    this.seat = new Seat(this.node, { relay: resolveRelay({}), identity: undefined, use: [] })
    this.#groups = new Groups(this.seat.groups)
    this.#kind = new ChannelKind({
      contract,
      side: 'server',
      options: { methods, heartbeat: HEARTBEAT, logger: false },
      features: [...OF_ENDPOINTS, ...this.seat.features],
      newId: this.seat.newId,
      groups: this.#groups,
      events: {
        open: (channel) => {
          this.channels.add(channel)
          this.seat.opened(channel)
        },
        down: (channel) => this.#sessions.down(channel),
        ended: (channel, info, recv) => {
          this.channels.delete(channel)
          this.seat.ended(channel)
          this.#sessions.ended(channel, info, recv)
        },
        change: (channel) => this.#sessions.changed(channel),
      },
    })
    this.#arrivals = {
      kind: this.#kind,
      receive: (hello, arrival) => this.#sessions.receive(hello, arrival, { spreadMs: 0 }),
    }
    const { format, timeout } = this.#kind.settings
    this.seat.start({
      contract,
      format,
      limits: DEFAULT_LIMITS,
      timeout,
      logger: false,
      channels: this.channels,
      membersOf: (group) => this.#groups.membersOf(group),
      windowMs: this.#sessions.windowMs,
      findSession: (resume, visitor) => this.#sessions.find(resume, visitor, fail),
      accept: (transport, visitor) => void arrive(this.#arrivals, transport, visitor),
      waitForRun: async () => false,
    })
  }

  get engine() {
    return this.node.options.engine
  }

  /** The audience of a group at all nodes. */
  group(name: string) {
    return this.seat.audience(
      name,
      createAudience(() => this.#groups.membersOf(name)),
    )
  }

  /** @returns the client's end of a connection to this node, which may be led on to the node of its session. */
  dial(): Transport {
    const [here, there] = memoryTransportPair()
    this.seat.sessionRouter?.route(new HandedOnTransport(here), {})
    return new HandedOnTransport(there)
  }

  /** Ends what waits for clients. */
  close(): void {
    const info = { code: 1001, reason: 'The node is closed' }
    this.seat.sessionRouter?.close(info)
    this.#sessions.close(info)
  }

  /** Connects a client with these methods. */
  connectWith(
    methods: Record<string, (params: never, context: HandlerContext) => unknown>,
  ): LiveChannel {
    const [here, there] = memoryTransportPair()
    const channel = openOn(this.#kind, here, {})
    createChannel({
      side: 'client',
      transport: there,
      heartbeat: false,
      logger: false,
      methods,
    } as never)
    return channel
  }

  /** Connects a client, which notes what it runs. */
  connect(ran: Ran, delay: () => number): LiveChannel {
    const channel = this.connectWith({
      once: async ({ k }: { k: number }, { signal }) => {
        ran.set(k, [...(ran.get(k) ?? []), channel.id])
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, delay())
          signal.addEventListener('abort', () => {
            this.aborted.push(channel.id)
            clearTimeout(timer)
            resolve()
          })
        })
        return k
      },
    })
    return channel
  }
}

function fail(thrown: unknown): never {
  throw thrown
}

/** A cluster in virtual time, over a network with faults; all of it is the same for the same seed. */
export class VirtualCluster {
  readonly network: SeededNetwork
  readonly random: () => number
  readonly nodes: VirtualNode[] = []

  constructor(seed: number, delayMs: readonly [number, number] = [0, 10], maxPayload?: number) {
    this.random = seededRandom(seed + 1)
    // Clients that connect again wait for a random time.
    vi.spyOn(Math, 'random').mockImplementation(seededRandom(seed + 2))
    this.network = new SeededNetwork(seed, { delayMs }, maxPayload)
  }

  /** Starts nodes, and lets them find each other. */
  async start(
    count: number,
    options: Partial<ClusterNodeOptions> = {},
    methods?: object,
  ): Promise<VirtualNode[]> {
    const started = Array.from({ length: count }, (_, at) => {
      const name = `n${this.nodes.length + at}`
      const engine = this.network.engine()
      const given = { engine, app: 'test', name, graceMs: 1_000, outageMs: 5_000, ...options }
      return new VirtualNode(given, undefined, methods)
    })
    this.nodes.push(...started)
    await pass(2_000)
    return started
  }

  /** A whole number below another. */
  below(limit: number): number {
    return Math.floor(this.random() * limit)
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /**
   * The engine is killed, and is back in 0.5 to 2 s. Each node's client of it makes its next attempt at another time, up to
   * 2.5 s later, as those do whose delays grow with each attempt.
   *
   * @param act what goes on while some nodes have the engine, and others have not.
   */
  async restartEngine(act: () => Promise<void>): Promise<void> {
    const { network, nodes } = this
    network.kill()
    await act()
    const awayMs = 500 + this.below(1_500)
    await pass(awayMs)
    const lateMs = nodes.map(() => this.below(awayMs + 500)).toSorted((one, other) => one - other)
    let passedMs = 0
    for (const [at, { engine }] of nodes.entries()) {
      const ms = lateMs[at] as number
      await pass(ms - passedMs)
      passedMs = ms
      void network.restore(engine)
      await act()
    }
  }

  async stop(): Promise<void> {
    for (const node of this.nodes) {
      for (const channel of [...node.channels]) await channel.close()
      node.close()
    }
    const stopped = Promise.all(this.nodes.splice(0).map(({ seat }) => seat.stop()))
    await pass(3_000)
    await stopped
  }
}
