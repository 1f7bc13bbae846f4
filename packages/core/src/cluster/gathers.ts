import { MAX_TIMER_MS } from '../base/max-timer.js'
import { assertCallOptions } from '../calls/call-options.js'
import { readTimeout, type TimeLimits } from '../calls/call-timer.js'
import { unencodable } from '../calls/caller.js'
import { checkResult } from '../calls/check-result.js'
import type { SendOptions } from '../calls/functions.js'
import { assertSignal } from '../calls/pending-calls.js'
import type { Definition, FlatSide } from '../contract/contract.js'
import { definitionOf } from '../contract/definition.js'
import { own } from '../errors/error-origin.js'
import { ErrorCode, RpcConfigError, RpcDisconnectedError, type RpcError } from '../errors/errors.js'
import { nearestName } from '../errors/nearest.js'
import { quoted } from '../errors/quoted.js'
import { deadlineOf } from '../features/deadlines/deadlines.js'
import { DIAGNOSTICS } from '../features/diagnostics/diagnostics.js'
import { insteadOf } from '../features/diagnostics/unknown-name.js'
import type { AnyRemoteChannel, ClusterOutcome, Unreached } from '../server/cluster-audience.js'
import type { Frame } from '../wire/codec.js'
import type { Format } from '../wire/format.js'
import { isObject } from './checks.js'
import type { ClusterNode } from './cluster-node.js'
import { isCount, Kind } from './envelope.js'
import { Gather, type GatherEvents, type GatherTarget, type GatherWords } from './gather.js'
import type { NodeLinks } from './node-links.js'
import type { NodeRecord } from './node-record.js'
import { differentCodecs, type PayloadHead, writePayload } from './payload.js'
import { errorOf, isShortId, readOutcome, type ToldOutcome } from './told-outcome.js'
import { topicOf } from './topics.js'

/** The functions of an endpoint that calls to all nodes use. */
export interface GathersHost {
  /** The methods of the clients, by their names on the wire; undefined without a contract. */
  readonly clients: FlatSide | undefined
  readonly format: Format
  readonly timeout: TimeLimits
  /** A channel of another node, for an outcome. */
  channel(id: string): AnyRemoteChannel
}

/** A call to all other nodes. */
export interface GroupCall {
  /** Undefined: all channels. */
  readonly group: string | undefined
  readonly method: string
  readonly params: unknown
  readonly options: SendOptions | undefined
  readonly except: ReadonlySet<string>
}

/** The head of a call to all nodes (docs/protocol.md, "Between nodes"). */
export interface CallHead {
  /** The number of the call among those of its node. */
  readonly c: number
  /** The group; missing for all channels. */
  readonly g?: string
  /** The ids of channels that are left out. */
  readonly x?: readonly string[]
  /** How its message was written; missing if nothing is called. */
  readonly f?: PayloadHead
  /** How long each target may take, in ms, in all and without a sign of life; null for ever. */
  readonly ms?: readonly [total: number | null, idle: number | null]
  readonly key?: string
  /** Nothing is called: only the members are asked for, or their number. */
  readonly m?: 'members' | 'count'
  /** The group is watched from now on: changes are to be told. */
  readonly w?: true
  /** Whether it goes to one node, which was expected to have it. */
  readonly ask?: true
  /** The nodes that the caller has given up, `<node>.<epoch>`: they must not run it. */
  readonly dead?: readonly string[]
}

/** The messages of links about group calls. */
export const GROUP_ROLL = 'group.roll'
export const GROUP_OUTCOMES = 'group.outcomes'
export const GROUP_CANCEL = 'group.cancel'

/** More bytes that wait to be sent to the engine than this: calls and notifications of groups are not sent. */
export const MAX_BUFFERED_BYTES = 8 * 1024 * 1024

/** A target's outcome at another node. */
type Outcome = ClusterOutcome<unknown>

/** Takes an outcome. @param at the place of its target among those of its node. */
export type GiveOutcome = (outcome: Outcome, at: number) => void

/** The order of an outcome that belongs to no target: after all others. */
const LAST = Number.POSITIVE_INFINITY
/** How long other nodes may take to say who their members are, in ms. */
const MEMBERS_MS = 5_000

/** A call as it is sent, or why it can't be. */
type Prepared = { readonly time: TimeLimits } & (
  | { readonly f: PayloadHead; readonly body: Frame }
  | { readonly error: RpcError }
)

interface Running {
  readonly gather: Gather
  readonly method: string
  readonly head: CallHead
  readonly body: Frame | undefined
  readonly step: MembersWatch['step'] | undefined
  /** The one node that is asked; undefined for all. */
  readonly only: NodeRecord | undefined
}

/** A question for members whose changes will be told. */
export interface MembersWatch {
  /** The one node that is asked; undefined for all. */
  readonly only: NodeRecord | undefined
  /** Takes the number of a node's last change before it has answered. */
  step(node: string, step: number): void
}

/** The calls of this node to the channels of all other nodes. */
export class Gathers {
  readonly #node: ClusterNode
  readonly #links: NodeLinks
  readonly #host: GathersHost
  readonly #running = new Map<number, Running>()
  #count = 0

  constructor(node: ClusterNode, links: NodeLinks, host: GathersHost) {
    this.#node = node
    this.#links = links
    this.#host = host
    node.on(Kind.roll, ({ head }, record) => this.#rolled(record, head))
    links.serve(GROUP_ROLL, (from, params) => {
      const record = node.directory.get(from)
      if (record) this.#rolled(record, params)
    })
    links.serve(GROUP_OUTCOMES, (from, params) => this.#came(from, params))
    const lostAll = (why: string) => {
      for (const { gather } of [...this.#running.values()]) gather.lostAll(why)
    }
    node.watch({
      gone: (record, why) => {
        const reason =
          why === 'renewed' ? 'it was given up by other nodes, and began anew' : GONE[why]
        for (const { gather, only } of [...this.#running.values()]) {
          gather.lost(record, reason, why === 'left' || only !== undefined)
        }
      },
      outage: () => lostAll('this node is without the engine of its cluster for too long'),
      renewed: () => lostAll('the other nodes had given up this one, which goes on in a new epoch'),
    })
  }

  /** The endpoint is closed. */
  close(): void {
    for (const { gather } of [...this.#running.values()]) gather.lostAll('this endpoint was closed')
  }

  /**
   * Calls the targets of all other nodes.
   *
   * @param give is given each outcome, as it comes.
   * @returns a promise that resolves when there are no more. It never rejects.
   */
  async call(call: GroupCall, give: GiveOutcome): Promise<void> {
    const { method, options } = call
    const prepared = this.#prepare(call)
    const { time } = prepared
    const signal = 'error' in prepared ? undefined : options?.signal
    await this.#untilReady(signal)
    if (signal?.aborted || this.#node.state === 'left') return
    const definition = definitionOf(this.#host.clients, method)
    const pending = new Set<Promise<void>>()
    const failed = (target: GatherTarget, error: RpcError) =>
      give({ ...this.#target(target), status: 'error', error: own(error) }, target.at)
    const { idempotencyKey: key } = options ?? {}
    const said =
      'error' in prepared
        ? {}
        : {
            f: prepared.f,
            ms: [finite(time.total), finite(time.idle)] as const,
            ...(key !== undefined && { key }),
          }
    const body = 'f' in prepared ? prepared.body : undefined
    await this.#gather(
      call,
      said,
      body,
      { method, timeoutMs: time.total, signal },
      {
        told: (target, entry) => {
          if ('error' in prepared) return failed(target, prepared.error)
          const given = this.#give(target, entry as ToldOutcome, method, definition, give)
          if (!given) return
          pending.add(given)
          void given.finally(() => pending.delete(given))
        },
        failed: (target, error) => failed(target, 'error' in prepared ? prepared.error : error),
        unreached: (node, error) => give({ status: 'unreached', node, error: own(error) }, LAST),
      },
    )
    await Promise.all(pending)
  }

  /**
   * Finds out who is in a group at all other nodes, or how many there are.
   *
   * @param give is given the ids of members, and what their nodes say of them.
   * @returns the nodes that could not be asked.
   */
  async members(
    { group, except }: Pick<GroupCall, 'group' | 'except'>,
    m: 'members' | 'count',
    give: (id: string, node: string, told: unknown) => void,
    watch?: MembersWatch,
  ): Promise<Unreached[]> {
    await this.#untilReady(undefined)
    const unreached = new Map<string, Unreached>()
    const lose = (node: string, cause: RpcError) => {
      if (unreached.has(node)) return
      const error =
        cause instanceof RpcDisconnectedError
          ? cause
          : new RpcDisconnectedError(cause.message, 'maybe-executed', { method, cause })
      unreached.set(node, { status: 'unreached', node, error: own(error) })
    }
    const method = m
    const words = { method, timeoutMs: MEMBERS_MS, signal: undefined, isRollOnly: m === 'count' }
    const said = { m, ...(watch && { w: true as const }) }
    await this.#gather({ group, method, except, ...watch }, said, undefined, words, {
      told: ({ id, node }, entry) => give(node + id, node, (entry as ToldOutcome | undefined)?.[1]),
      // It is a member, and its node was lost before it could say more: then not all of its members are known.
      failed: ({ node }, error) => lose(node, error),
      unreached: (node, error) => lose(node, error),
    })
    return [...unreached.values()]
  }

  /** Sends a call to all other nodes, and waits until each that must answer has done so. */
  async #gather(
    {
      group,
      method,
      except,
      only,
      step,
    }: Pick<GroupCall, 'group' | 'method' | 'except'> & Partial<MembersWatch>,
    said: Partial<CallHead>,
    body: Frame | undefined,
    words: GatherWords,
    events: GatherEvents,
  ): Promise<void> {
    const node = this.#node
    const { directory, subjects } = node
    const topic = group === undefined ? 'all' : topicOf(group)
    const lose = (id: string, why: string) => events.unreached(id, notSent(method, why))
    if (!only) for (const { id } of directory.foreign) lose(id, FOREIGN)
    const expected = () => (only ? [only] : directory.expected(topic))
    const c = ++this.#count % 0xffff_ffff
    const { buriedLately: dead } = directory
    const x = [...except]
    const head: CallHead = {
      c,
      ...(group !== undefined && { g: group }),
      ...(x.length > 0 && { x }),
      ...said,
      ...(dead.length > 0 && { dead }),
    }
    const subject = topic === 'all' ? subjects.all : subjects.topic(topic)
    const isFull = node.options.engine.bufferedBytes > MAX_BUFFERED_BYTES
    const isSent =
      !isFull &&
      (only
        ? node.send(only.id, Kind.call, { ...head, ask: true }, body)
        : node.publish(subject, Kind.call, head, body))
    if (!isSent) {
      for (const { id } of expected()) lose(id, isFull ? FULL : DOWN)
      return
    }
    await new Promise<void>((resolve) => {
      const gather = new Gather(
        { node, ask: (record) => this.#ask(record, c), cancel: (to) => this.#cancel(to, c) },
        words,
        events,
        () => {
          this.#running.delete(c)
          resolve()
        },
      )
      this.#running.set(c, { gather, method, head, body, step, only })
      gather.suppose(expected())
      node.options.engine.barrier().then(
        () => gather.expect(expected()),
        // The engine is down, and announcements may be lost with it: each node may have got it.
        () => gather.expect(only ? [only] : directory.expected('all')),
      )
    })
  }

  /** Calls wait until the node has found out who is there. */
  async #untilReady(signal: AbortSignal | undefined): Promise<void> {
    if (this.#node.state !== 'joining') return
    const ready = this.#node.ready().catch(() => {})
    let stop = () => {}
    const aborted = new Promise<void>((resolve) => {
      stop = resolve
      signal?.addEventListener('abort', stop, { once: true })
    })
    await Promise.race([ready, aborted])
    signal?.removeEventListener('abort', stop)
  }

  /** @throws {RpcConfigError} if the options are wrong. */
  #timeOf({ method, options }: GroupCall): TimeLimits {
    if (!options) return this.#host.timeout
    assertCallOptions(method, options, nearestName, NO_MORE)
    const signal = assertSignal(method, options.signal)
    const { idle, total } =
      options.timeout === undefined
        ? this.#host.timeout
        : readTimeout(method, options.timeout, nearestName)
    return { idle, total: Math.max(0, Math.min(total, deadlineOf(signal) - performance.now())) }
  }

  /** Writes the message. If it can't be sent, the targets are only asked for, and each has that error. */
  #prepare(call: GroupCall): Prepared {
    const { method, params } = call
    let { timeout: time } = this.#host
    try {
      time = this.#timeOf(call)
    } catch (error) {
      return { time, error: error as RpcError }
    }
    const { clients } = this.#host
    if (clients && !definitionOf(clients, method)) {
      const message = `Unknown method ${quoted(method)}: the other side of the contract ${insteadOf(method, clients)}`
      return { time, error: new RpcConfigError(message, { method }) }
    }
    try {
      if (params !== undefined && (typeof params !== 'object' || params === null)) {
        throw new TypeError(
          'params are one object of named params. Put them in braces: { name: value }',
        )
      }
      const message = { jsonrpc: '2.0', method, ...(params !== undefined && { params }) }
      return { time, ...writePayload(this.#host.format, message) }
    } catch (cause) {
      return { time, error: unencodable({ method }, this.#host.format, DIAGNOSTICS, cause) }
    }
  }

  #ask(record: NodeRecord, c: number): void {
    const running = this.#running.get(c)
    if (!running) return
    this.#node.send(record.id, Kind.call, { ...running.head, ask: true }, running.body)
  }

  #cancel(node: string, c: number): void {
    this.#links
      .to(node)
      .notify(GROUP_CANCEL, { c })
      .catch(() => {})
  }

  #rolled(record: NodeRecord, head: unknown): void {
    if (!isObject(head)) return
    const { c, at, n, ids } = head
    if (!isCount(c) || !isCount(at) || !isCount(n) || !Array.isArray(ids) || !ids.every(isShortId))
      return
    const running = this.#running.get(c)
    if (isCount(head.s)) running?.step?.(record.id, head.s)
    const { codec } = head
    if (typeof codec !== 'string') running?.gather.rolled(record, ids, at, n)
    else running?.gather.rolled(record, ids, at, n, () => this.#otherCodec(running.method, codec))
  }

  /** A node has another codec, so that it has called none of its targets. */
  #otherCodec(method: string, codec: string): RpcError {
    const message = differentCodecs(this.#host.format.codec.name, codec)
    return errorOf(method, undefined, { code: ErrorCode.codecMismatch, message, ran: false })
  }

  #came(from: string, params: unknown): void {
    if (!isObject(params) || !isCount(params.c) || !Array.isArray(params.list)) return
    const gather = this.#running.get(params.c)?.gather
    if (!gather) return
    for (const told of params.list) {
      const outcome = readOutcome(told)
      if (outcome) gather.came(from, outcome[0], outcome)
    }
  }

  #target({ id, node }: GatherTarget): {
    channel: AnyRemoteChannel
    channelId: string
    node: string
  } {
    const channelId = node + id
    return { channel: this.#host.channel(channelId), channelId, node }
  }

  /** Gives the outcome of a target, after its value was validated. */
  #give(
    target: GatherTarget,
    [, value, failure]: ToldOutcome,
    method: string,
    definition: Definition | undefined,
    give: GiveOutcome,
  ): Promise<void> | undefined {
    const { at } = target
    const of = this.#target(target)
    const failed = (error: unknown) =>
      give({ ...of, status: 'error', error: error as RpcError }, at)
    if (failure) {
      failed(errorOf(method, definition, failure))
      return undefined
    }
    const valid = (result: unknown) => give({ ...of, status: 'ok', value: result }, at)
    try {
      const settings = { format: this.#host.format, diagnostics: DIAGNOSTICS }
      const checked = checkResult(definition, method, 'result', value, { settings })
      if (checked instanceof Promise) return checked.then(valid, failed)
      valid(checked)
    } catch (error) {
      failed(error)
    }
    return undefined
  }
}

const NO_MORE: ReadonlyMap<string, unknown> = new Map()
const DOWN = 'the engine of the cluster is down'
const FULL = 'too much waits to be sent to the engine of the cluster'
const FOREIGN = 'it shares no version of the protocol between nodes with this one'
const GONE = {
  left: 'it was closed',
  dead: 'it died',
  silent: 'nothing was heard of it for too long',
} as const

function notSent(method: string, why: string): RpcDisconnectedError {
  const message = `"${method}" was not sent to the clients of a node: ${why}`
  return new RpcDisconnectedError(message, 'not-sent', { method })
}

function finite(ms: number): number | null {
  return ms <= MAX_TIMER_MS ? Math.ceil(ms) : null
}
