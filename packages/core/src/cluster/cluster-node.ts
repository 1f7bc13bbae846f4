import { Listeners } from '../base/listeners.js'
import { MAX_TIMER_MS } from '../base/max-timer.js'
import { unref } from '../base/unref.js'
import { RpcConfigError, RpcDisconnectedError } from '../errors/errors.js'
import { hookContext } from '../logging/error-context.js'
import { log, logFailure } from '../logging/log.js'
import type { LoggerOption } from '../logging/logger.js'
import type { ClusterEvent, ClusterState, NodeInfo } from '../server/cluster.js'
import type { Frame, FrameType } from '../wire/codec.js'
import { randomHex } from '../wire/random-hex.js'
import { BundledPost } from './bundled-post.js'
import { Chunks } from './chunks.js'
import { Directory, type Gone } from './directory.js'
import type { ClusterEngine, Reach } from './engine.js'
import {
  cut,
  type Envelope,
  isCount,
  Kind,
  readEnvelope,
  VERSIONS,
  type Versions,
  writeEnvelope,
  writeHead,
} from './envelope.js'
import { BEAT_MS, FailureDetector, type FailureDetectorHost } from './failure-detector.js'
import type { NodeRecord } from './node-record.js'
import { Subjects } from './topics.js'

/** The options of a node, resolved. */
export interface ClusterNodeOptions {
  readonly engine: ClusterEngine
  readonly app: string
  readonly name: string
  readonly graceMs: number
  readonly outageMs: number
  /** Default {@link VERSIONS}. Tests of two versions side by side give others. */
  readonly versions?: Versions
}

/** What the endpoint of a node says of itself. */
export interface NodeHost {
  /** The name of its codec. */
  readonly codec: string
  readonly frames: FrameType
  /** The largest message of a channel, in bytes. */
  readonly maxMessageBytes: number
  readonly logger: LoggerOption | undefined
}

/** What happens to a node, for its parts. Each may be left out. */
export interface NodeEvents {
  /** The engine is up (again), and this node has said hello. */
  up?(): void
  down?(why: string): void
  /** The engine was down for longer than `outageMs`: what other nodes owe is lost. {@link renewed} follows. */
  outage?(): void
  /** Another node is gone in this epoch: what it owes is lost. */
  gone?(node: NodeRecord, why: Gone): void
  /** Another node has said which topics it has besides, or all that it has. */
  topics?(node: NodeRecord, topics: readonly number[] | 'all'): void
  /** This node goes on in a new epoch: others had given it up, or it was without the engine for too long. */
  renewed?(): void
}

/** How long a node finds out who is there before it takes part, in ms. */
const JOINING_MS = 1_500
/** How much of a payload is left free: the subject and what the engine adds. */
const RESERVE = 4_096
/** The least that a payload must hold, in bytes: messages that are not cut are smaller. */
const MIN_PAYLOAD = 2 * RESERVE
/** How long a node that comes back waits at most before it asks others for their topics, in ms. */
const SPREAD_MS = 500

/**
 * A node of a cluster: it knows the others, hears from them, and tells them something. It knows nothing of calls and
 * channels.
 */
export class ClusterNode implements FailureDetectorHost {
  readonly id = randomHex(16)
  readonly subjects: Subjects
  readonly directory: Directory
  readonly failureDetector: FailureDetector
  readonly options: ClusterNodeOptions
  readonly versions: Versions
  /** The number of messages of an unknown kind, and of those that could not be read. */
  dropped = 0
  #host: NodeHost | undefined
  #epoch = 1
  #state: ClusterState = 'joining'
  #upSince: number | undefined
  #isLeaving = false
  #hasJoined = false
  #isAnnounced = false
  #cutMessages = 0
  #beats: ReturnType<typeof setInterval> | undefined
  #outage: ReturnType<typeof setTimeout> | undefined
  #joining: ReturnType<typeof setTimeout> | undefined
  #chunks = new Chunks(0)
  readonly #handlers = new Map<number, (envelope: Envelope, node: NodeRecord) => void>()
  readonly #events = new Set<NodeEvents>()
  /** What waits in them for the end of the turn goes before anything else. */
  readonly #posts: BundledPost[] = []
  readonly #listeners = new Listeners<ClusterEvent>((thrown) =>
    logFailure(this.#host?.logger, thrown, hookContext('cluster.subscribe')),
  )
  readonly #ready: Promise<void>
  #resolveReady = () => {}
  #rejectReady: (error: unknown) => void = () => {}
  /** The number of this node's last change of topics; see {@link announces}. */
  #topics: { readonly step: number; snapshot(): { count: number; text: string } } = NO_TOPICS

  constructor(options: ClusterNodeOptions) {
    this.options = options
    this.subjects = new Subjects(options.app)
    this.versions = options.versions ?? VERSIONS
    this.directory = new Directory(
      {
        askSnapshot: (node) => this.#askSnapshot(node),
        tellBuried: (node, epoch) => this.send(node, Kind.buried, { epoch }),
        came: (node) => this.#tellNode('joined', node),
        changed: (node) => this.#changed(node),
        gone: (node, why) => this.#gone(node, why),
        topics: (node, topics) => {
          for (const events of [...this.#events]) events.topics?.(node, topics)
        },
      },
      this.versions,
    )
    this.failureDetector = new FailureDetector(this, options)
    const { directory } = this
    this.on(Kind.hello, ({ head }, node) => {
      if (directory.hello(node, head)) this.send(node.id, Kind.beat, this.#beat())
    })
    this.on(Kind.beat, ({ head }, node) => directory.beat(node, head))
    this.on(Kind.delta, ({ head }, node) => directory.delta(node, head))
    this.on(Kind.snapshot, ({ head }, node) => directory.snapshot(node, head))
    this.on(Kind.leave, ({ head }, node) => directory.leave(node, isOver(head)))
    this.on(Kind.askSnapshot, (_, node) => this.#tellSnapshot(node))
    this.#ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve
      this.#rejectReady = reject
    })
    // Whether there is anybody who waits for it is not known.
    this.#ready.catch(() => {})
  }

  get epoch(): number {
    return this.#epoch
  }

  get state(): ClusterState {
    return this.#state
  }

  /** Whether the engine is up. */
  get isUp(): boolean {
    return this.#upSince !== undefined
  }

  get upSince(): number | undefined {
    return this.#upSince
  }

  /**
   * Whether calls to a topic may be run that come now. After the engine was down, other nodes may not know yet that this
   * one is there; those who do ask it directly.
   */
  get isAnnounced(): boolean {
    return this.#isAnnounced && !this.#isLeaving
  }

  /** Whether it has ever found out who is there. If not, it can't name the nodes that it does not reach. */
  get hasJoined(): boolean {
    return this.#hasJoined
  }

  /** Whether this node accepts no new calls. */
  get isLeaving(): boolean {
    return this.#isLeaving
  }

  get nodes(): NodeInfo[] {
    const self: NodeInfo = {
      node: this.id,
      name: this.options.name,
      isHere: true,
      epoch: this.#epoch,
      state: this.#isLeaving ? 'leaving' : 'up',
    }
    return [self, ...Array.from(this.directory.all, infoOf)]
  }

  /** Resolves when all that was published before has passed the engine. Rejects if that is not known. */
  async barrier(): Promise<void> {
    await this.options.engine.barrier()
  }

  reach(node: string, ms: number): Promise<Reach> {
    return this.options.engine.reach(this.subjects.probe(node), ms)
  }

  /** Resolves when the node takes part. @throws the engine's error if it can't be started. */
  ready(): Promise<void> {
    return this.#ready
  }

  subscribe(listener: (event: ClusterEvent) => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Takes what happens to the node. @returns a function that ends that. */
  watch(events: NodeEvents): () => void {
    this.#events.add(events)
    return () => void this.#events.delete(events)
  }

  /** Sets the handler of a kind of messages. The handler must check them: other nodes may send anything. */
  on(kind: Kind, handler: (envelope: Envelope, node: NodeRecord) => void): void {
    this.#handlers.set(kind, handler)
  }

  /** @param topics the number of the last change of this node's topics, and all of them now, as they were announced. */
  announces(topics: { readonly step: number; snapshot(): { count: number; text: string } }): void {
    this.#topics = topics
  }

  /** Makes the post of a kind of pipes. */
  postOf(kind: Kind): BundledPost {
    const { engine } = this.options
    const node = this
    const post = new BundledPost({
      get isUp() {
        return node.isUp
      },
      get bufferedBytes() {
        return engine.bufferedBytes
      },
      get maxPayload() {
        return node.#mostBytes
      },
      sendPayload: (to, payload) => this.#sendPayload(to, kind, payload),
    })
    this.#posts.push(post)
    return post
  }

  async start(host: NodeHost): Promise<void> {
    this.#host = host
    this.#chunks = new Chunks(host.maxMessageBytes)
    const { engine } = this.options
    const { everybody, all } = this.subjects
    try {
      // These subscriptions stand before this node says hello. That of `all` follows the hello, so that other nodes know
      // each node that gets a message to all.
      engine.subscribe(everybody)
      engine.subscribe(this.subjects.inbox(this.id))
      engine.subscribe(this.subjects.probe(this.id))
      await engine.start({
        message: (_, payload) => this.#message(payload),
        up: () => this.#up(),
        down: (why) => this.#down(why),
      })
      await this.#checkPayload()
      engine.subscribe(all)
    } catch (error) {
      this.#setState('left', `the engine can't be started`)
      this.#rejectReady(error)
      return
    }
    if (this.#state === 'left') return
    this.failureDetector.start()
    this.#beats = setInterval(() => this.#sayBeat(), BEAT_MS)
    unref(this.#beats)
    this.#joining = setTimeout(() => {
      this.#hasJoined = this.isUp
      this.#setState(this.isUp ? 'up' : 'cut-off', 'it knows who is there')
      this.#resolveReady()
    }, JOINING_MS)
  }

  /** @throws {RpcConfigError} if the engine carries too little at once. */
  async #checkPayload(): Promise<void> {
    const { engine } = this.options
    const { maxPayload } = engine
    if (maxPayload >= MIN_PAYLOAD) return
    this.#upSince = undefined
    await engine.stop()
    throw new RpcConfigError(
      `The largest payload of the engine (${engine.name}) is ${maxPayload} bytes, and a cluster needs ${MIN_PAYLOAD}. Raise its limit: max_payload of nats-server, maxPayload of memoryEngines`,
    )
  }

  /** Accepts no new calls, and announces that. Calls that run here go on. */
  retire(): void {
    if (this.#isLeaving) return
    this.#isLeaving = true
    this.#tryPublish(Kind.leave, {})
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    this.retire()
    this.#tryPublish(Kind.leave, { end: true })
    clearInterval(this.#beats)
    clearTimeout(this.#joining)
    clearTimeout(this.#outage)
    this.failureDetector.stop()
    this.#chunks.clear()
    this.#setState('left', 'the endpoint was closed')
    this.#upSince = undefined
    const reason = 'the endpoint was closed before its node took part in the cluster'
    this.#rejectReady(new RpcDisconnectedError(reason, 'not-sent'))
    await this.options.engine.stop()
  }

  /**
   * Tells one node something, in one message or in parts.
   *
   * @returns whether it was handed to the engine. It is lost if the engine loses it.
   */
  send(node: string, kind: Kind, head: unknown, body?: Frame): boolean {
    const version = this.#versionFor(node)
    return this.#publish(this.subjects.inbox(node), { version, kind, head, body })
  }

  /**
   * Tells all nodes something that are subscribed to a subject.
   *
   * @returns whether it was handed to the engine. It is lost if the engine loses it.
   */
  publish(subject: string, kind: Kind, head: unknown, body?: Frame): boolean {
    return this.#publish(subject, {
      version: this.directory.commonVersion,
      kind,
      head,
      body,
    })
  }

  /** Another node has given up this one in an epoch. If that is the present epoch, this node goes on in a new one. */
  buried(epoch: unknown): void {
    if (!isCount(epoch) || epoch < this.#epoch || epoch === 0xffff_ffff) return
    this.#flushPosts()
    this.#epoch = epoch + 1
    this.#log('warn', `other nodes had given this one up, and it goes on in epoch ${this.#epoch}`)
    for (const events of [...this.#events]) events.renewed?.()
    this.#sayHello()
  }

  #publish(
    subject: string,
    {
      version,
      kind,
      head,
      body = NO_BODY,
    }: Pick<Envelope, 'version' | 'kind' | 'head'> & { body?: Frame | undefined },
  ): boolean {
    if (!this.isUp) return false
    this.#flushPosts()
    return this.#handOver(subject, writeEnvelope({ ...this.#header(version, kind), head, body }))
  }

  #header(version: number, kind: number): Omit<Envelope, 'head' | 'body'> {
    return { version, kind, node: this.id, epoch: this.#epoch, seq: 0 }
  }

  #flushPosts(): void {
    for (const post of this.#posts) post.flush()
  }

  /** Sends a payload whose head is to be written. */
  #sendPayload(node: string, kind: Kind, payload: Uint8Array): void {
    writeHead(payload, this.#header(this.#versionFor(node), kind))
    this.#handOver(this.subjects.inbox(node), payload)
  }

  #versionFor(node: string): number {
    const most = this.versions[1]
    return Math.min(most, this.directory.get(node)?.versions[1] ?? most)
  }

  /** The largest payload that is not cut, in bytes. */
  get #mostBytes(): number {
    return Math.max(this.options.engine.maxPayload, MIN_PAYLOAD) - RESERVE
  }

  #handOver(subject: string, payload: Uint8Array): boolean {
    const { engine } = this.options
    const most = this.#mostBytes
    try {
      if (payload.byteLength <= most) engine.publish(subject, payload)
      else for (const part of cut(payload, ++this.#cutMessages, most)) engine.publish(subject, part)
      return true
    } catch {
      // The engine went down in this moment, and says so itself; or it carries too little since it was connected again.
      return false
    }
  }

  #tryPublish(kind: Kind, head: unknown): void {
    this.publish(this.subjects.everybody, kind, head)
  }

  #sayHello(): void {
    const { name } = this.options
    this.#tryPublish(Kind.hello, {
      ...this.#beat(),
      name,
      codec: this.#host?.codec,
      frames: this.#host?.frames,
      topics: this.#topics.snapshot().count,
    })
    if (this.#isLeaving) this.#tryPublish(Kind.leave, {})
  }

  #sayBeat(): void {
    this.#tryPublish(Kind.beat, this.#beat())
  }

  #beat(): { v: Versions; s: number } {
    return { v: this.versions, s: this.#topics.step }
  }

  #askSnapshot(node: NodeRecord): void {
    const ask = () => {
      if (!node.isInStep) this.send(node.id, Kind.askSnapshot, {})
    }
    // Many nodes may come back at once. One that is not known at all is asked at once.
    if (node.name === '' || this.#state === 'joining') ask()
    else unref(setTimeout(ask, Math.random() * SPREAD_MS))
  }

  #tellSnapshot(node: NodeRecord): void {
    const { name } = this.options
    const { codec, frames } = this.#host as NodeHost
    const { text: topics } = this.#topics.snapshot()
    this.send(node.id, Kind.snapshot, { ...this.#beat(), name, codec, frames, topics })
  }

  #message(payload: Uint8Array): void {
    const read = readEnvelope(payload)
    if (!read) {
      this.dropped++
      return
    }
    const { envelope, chunk } = read
    if (envelope.node === this.id) return
    const { kind, version } = envelope
    // Two nodes may have given up each other: then each must hear it.
    if (kind === Kind.buried) {
      this.buried((envelope.head as { epoch?: unknown } | null)?.epoch)
      return
    }
    const node = this.directory.sender(envelope.node, envelope.epoch)
    if (!node) return
    // These messages have the same form in all versions.
    const isPlain = kind === Kind.hello || kind === Kind.beat
    if (!isPlain && (version < this.versions[0] || version > this.versions[1])) return
    if (chunk) {
      const whole = this.#chunks.add(envelope, chunk, payload)
      if (whole) this.#message(whole)
      return
    }
    const handler = this.#handlers.get(kind)
    if (handler) handler(envelope, node)
    else this.dropped++
  }

  #up(): void {
    const since = performance.now()
    this.#upSince = since
    clearTimeout(this.#outage)
    if (this.#state === 'cut-off') {
      this.#hasJoined = true
      this.#setState('up', 'the engine is up')
    }
    this.directory.doubt()
    this.#sayHello()
    void this.barrier().then(
      () => {
        if (this.#upSince === since) this.#isAnnounced = true
      },
      () => {},
    )
    for (const events of [...this.#events]) events.up?.()
  }

  #down(why: string): void {
    if (this.#upSince === undefined) return
    this.#upSince = undefined
    this.#isAnnounced = false
    for (const post of this.#posts) post.clear()
    this.failureDetector.forget()
    this.#chunks.clear()
    this.#outage = setTimeout(() => this.#isOut(), Math.min(this.options.outageMs, MAX_TIMER_MS))
    unref(this.#outage)
    if (this.#state === 'up') this.#setState('cut-off', why)
    for (const events of [...this.#events]) events.down?.(why)
  }

  /**
   * The engine is down for too long. The answers that other nodes owe are lost, and so are those that this node owes. Other
   * nodes learn of that by the new epoch.
   */
  #isOut(): void {
    for (const events of [...this.#events]) events.outage?.()
    this.#epoch++
    for (const events of [...this.#events]) events.renewed?.()
  }

  #gone(node: NodeRecord, why: Gone): void {
    this.#chunks.forget(node.id)
    for (const events of [...this.#events]) events.gone?.(node, why)
    this.#tellNode(why === 'left' || why === 'renewed' ? why : 'lost', node)
    if (why === 'dead' || why === 'silent') {
      const what = why === 'dead' ? 'it is not subscribed any more' : 'nothing was heard of it'
      this.#log('warn', `the node ${describe(node)} is given up: ${what}`)
    }
  }

  #changed(node: NodeRecord): void {
    if (node.isForeign) {
      const [min, max] = node.versions
      const [least, most] = this.versions
      this.#log(
        'warn',
        `the node ${describe(node)} speaks versions ${min} to ${max} of the protocol between nodes, and this one ${least} to ${most}: they can't reach each other. Update one of them`,
      )
    }
    this.#tellNode('changed', node)
  }

  #tellNode(change: 'joined' | 'changed' | 'left' | 'lost' | 'renewed', node: NodeRecord): void {
    if (!this.#listeners.isEmpty) {
      this.#listeners.tell({ type: 'node', change, node: infoOf(node) })
    }
  }

  #setState(state: ClusterState, why: string): void {
    if (this.#state === state || this.#state === 'left') return
    this.#state = state
    this.#log(state === 'cut-off' ? 'warn' : 'debug', `the node is ${state}: ${why}`)
    this.#listeners.tell({ type: 'state', state, why })
  }

  #log(level: 'debug' | 'warn', text: string): void {
    log(this.#host?.logger, level, `cluster "${this.options.app}": ${text}`)
  }
}

const NO_BODY = new Uint8Array()
const NO_TOPICS = { step: 0, snapshot: () => ({ count: 0, text: '' }) }

function infoOf({ id, name, epoch, isForeign, isLeaving, missingSince }: NodeRecord): NodeInfo {
  const isMissing = missingSince !== undefined
  const state = isForeign ? 'foreign' : isLeaving ? 'leaving' : isMissing ? 'missing' : 'up'
  return { node: id, name, isHere: false, epoch, state }
}

function describe({ id, name }: NodeRecord): string {
  return name === '' ? id : `${JSON.stringify(name)} (${id})`
}

function isOver(head: unknown): boolean {
  return (head as { end?: unknown } | null)?.end === true
}
