import { MAX_TIMER_MS } from '../base/max-timer.js'
import { after } from '../base/maybe-async.js'
import { onAbort } from '../calls/abort-listeners.js'
import { assertCallOptions } from '../calls/call-options.js'
import { readTimeout, type TimeLimits } from '../calls/call-timer.js'
import { unencodable } from '../calls/caller.js'
import { checkResult } from '../calls/check-result.js'
import type { SendOptions } from '../calls/functions.js'
import type { Meta } from '../calls/middleware-call.js'
import type { AnyPeer } from '../calls/peer.js'
import { assertSignal } from '../calls/pending-calls.js'
import type { Definition, FlatSide } from '../contract/contract.js'
import { definitionOf, schemaOf } from '../contract/definition.js'
import { own } from '../errors/error-origin.js'
import { ErrorCode, RpcConfigError, RpcDisconnectedError, type RpcError } from '../errors/errors.js'
import { nearestName } from '../errors/nearest.js'
import { quoted } from '../errors/quoted.js'
import { deadlineOf } from '../features/deadlines/deadlines.js'
import { DIAGNOSTICS } from '../features/diagnostics/diagnostics.js'
import { insteadOf } from '../features/diagnostics/unknown-name.js'
import { assertListener } from '../features/progress/progress.js'
import { type ErrorContext, hookContext, outgoingContext } from '../logging/error-context.js'
import type { AnyRemoteChannel, ClusterOutcome, Unreached } from '../server/cluster-audience.js'
import type { Frame } from '../wire/codec.js'
import type { Format } from '../wire/format.js'
import { assertName, isObject } from './checks.js'
import type { ClusterNode } from './cluster-node.js'
import { isCount, Kind } from './envelope.js'
import { Gather, type GatherEvents, type GatherTarget, type GatherWords } from './gather.js'
import type { GroupMiddleware } from './group-middleware.js'
import type { NodeLinks } from './node-links.js'
import type { NodeRecord } from './node-record.js'
import { differentCodecs, type PayloadHead, writePayload } from './payload.js'
import { PendingResults } from './pending-results.js'
import { TargetsProgress } from './targets-progress.js'
import { errorOf, isShortId, readOutcome, type ToldOutcome } from './told-outcome.js'
import { topicOf } from './topics.js'

/** The functions of an endpoint that calls to all nodes use. */
export interface GathersHost {
  /** The methods of the clients, by their names on the wire; undefined without a contract. */
  readonly clients: FlatSide | undefined
  readonly format: Format
  readonly timeout: TimeLimits
  /** The middleware of calls to other nodes; undefined if there is none. */
  readonly use: GroupMiddleware | undefined
  /** Stands for the clients of other nodes, for middleware. */
  peer(): AnyPeer
  /** A channel of another node, for an outcome. */
  channel(id: string): AnyRemoteChannel
  /** Something failed that no caller learns of. */
  error(thrown: unknown, context: ErrorContext): void
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
  /** The metadata beside the params; missing if there is none. */
  readonly meta?: Meta
  /** Whether the progress of each target is to be told. */
  readonly p?: true
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
export const GROUP_PROGRESS = 'group.progress'

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

/** How long a call may take, and what ends it. */
interface CallLimits {
  readonly time: TimeLimits
  /** When its time is over, by `performance.now()`. */
  readonly endsAt: number
  /** Undefined if it has none, or if its options are wrong. */
  readonly signal: AbortSignal | undefined
}

/** A call as it is sent; or why it can't be; or what middleware has answered in place of its targets. */
type Prepared = CallLimits &
  (
    | { readonly f: PayloadHead; readonly body: Frame; readonly meta?: Meta }
    | { readonly error: RpcError }
    | { readonly value: unknown }
  )

interface Running {
  readonly gather: Gather
  readonly method: string
  readonly head: CallHead
  readonly body: Frame | undefined
  readonly step: MembersWatch['step'] | undefined
  /** Hears the progress of a target, if its caller listens. */
  readonly progress: TargetsProgress | undefined
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
  /** The results of calls that are being validated. */
  readonly #validated = new Set<PendingResults>()
  #count = 0
  #isClosed = false

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
    links.serve(GROUP_PROGRESS, (from, params) => this.#progressed(from, params))
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
    this.#isClosed = true
    for (const { gather } of [...this.#running.values()]) gather.lostAll(CLOSED)
    for (const results of [...this.#validated]) results.lost(CLOSED)
  }

  /**
   * Calls the targets of all other nodes.
   *
   * @param give is given each outcome, as it comes.
   * @returns a promise that resolves when there are no more. It never rejects.
   */
  async call(call: GroupCall, give: GiveOutcome): Promise<void> {
    const prepared = this.#prepare(call)
    const { use } = this.#host
    if (use && 'f' in prepared) return this.#callThrough(use, call, prepared, give)
    return this.#send(call, prepared, give)
  }

  /** Sends a call through middleware. What that answers, or throws, without sending the call is each target's outcome. */
  async #callThrough(
    use: GroupMiddleware,
    call: GroupCall,
    prepared: Prepared,
    give: GiveOutcome,
  ): Promise<void> {
    const { method, params, group } = call
    const { time, endsAt, signal } = prepared
    if (signal?.aborted) return this.#unasked(call, give, GIVEN_UP, signal.reason)
    const outcomes: Outcome[] = []
    let sent: Promise<void> | undefined
    const send = async (meta: Meta) => {
      const hasMeta = Object.keys(meta).length > 0
      sent = this.#send(call, { ...prepared, ...(hasMeta && { meta }) }, (outcome, at) => {
        outcomes.push(outcome)
        give(outcome, at)
      })
      await sent
      return outcomes
    }
    const toMany = { kind: 'method', method, params, signal, time } as const
    const passage = await use.send(toMany, this.#host.peer(), send)
    // Middleware need not wait for the outcomes.
    await sent
    if (passage.isSent) {
      if (passage.error) this.#host.error(passage.error, hookContext('use'))
    } else if (this.#isClosed) this.#unasked({ method, group }, give, CLOSED)
    else if (signal?.aborted) this.#unasked({ method, group }, give, GIVEN_UP, signal.reason)
    else {
      const instead = 'error' in passage ? { error: passage.error } : { value: passage.value }
      await this.#send(call, { time, endsAt, signal, ...instead }, give)
    }
  }

  /** Sends a call, or asks for its targets only, and waits for their outcomes. */
  async #send(call: GroupCall, prepared: Prepared, give: GiveOutcome): Promise<void> {
    const { method, options } = call
    const { time, endsAt, signal } = prepared
    const why = await this.#whyNotReady(prepared)
    if (why !== undefined) return this.#unasked(call, give, why, signal?.reason)
    const definition = definitionOf(this.#host.clients, method)
    const failed = (target: GatherTarget, error: RpcError) =>
      give({ ...this.#target(target), status: 'error', error }, target.at)
    const valid = (target: GatherTarget, value: unknown) =>
      give({ ...this.#target(target), status: 'ok', value }, target.at)
    // The outcome of each target, if nothing is sent.
    const answer =
      'error' in prepared
        ? (target: GatherTarget) => failed(target, own(prepared.error))
        : 'value' in prepared
          ? (target: GatherTarget) => valid(target, prepared.value)
          : undefined
    const { idempotencyKey: key, onProgress } = options ?? {}
    const progress =
      'f' in prepared && onProgress ? this.#progressOf(method, definition, onProgress) : undefined
    const results = new PendingResults({ method, time, endsAt, signal })
    const reader = { settings: { format: this.#host.format, diagnostics: DIAGNOSTICS } }
    const check = (value: unknown) => checkResult(definition, method, 'result', value, reader)
    const said = !('f' in prepared)
      ? {}
      : {
          f: prepared.f,
          ms: [finite(Math.max(0, endsAt - performance.now())), finite(time.idle)] as const,
          ...(key !== undefined && { key }),
          ...(prepared.meta && { meta: prepared.meta }),
          ...(progress && { p: true as const }),
        }
    const body = 'f' in prepared ? prepared.body : undefined
    this.#validated.add(results)
    await this.#gather(
      { ...call, progress },
      said,
      body,
      { method, timeoutMs: time.total, endsAt, signal },
      {
        told: (target, entry) => {
          if (answer) return answer(target)
          const [, value, failure] = entry as ToldOutcome
          const fails = (error: RpcError) => {
            progress?.failed(target)
            failed(target, error)
          }
          if (failure) return fails(errorOf(method, definition, failure))
          results.add(
            () => after(progress?.beforeResult(target), () => check(value)),
            (result) => valid(target, result),
            fails,
          )
        },
        failed: (target, error) => {
          if (answer) return answer(target)
          progress?.failed(target)
          failed(target, own(error))
        },
        unreached: (node, cause) => {
          // If there is an answer, its clients were only asked for.
          const isUnsent = answer && cause.outcome !== 'not-sent'
          const error = isUnsent ? notSent(method, UNNAMED, cause) : cause
          give({ status: 'unreached', node, error: own(error) }, LAST)
        },
      },
    )
    await results.settled()
    this.#validated.delete(results)
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
    const endsAt = performance.now() + MEMBERS_MS
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
    const why = await this.#whyNotReady({ endsAt, signal: undefined })
    if (why !== undefined) {
      for (const id of this.#askable(group)) lose(id, notSent(method, why))
      return [...unreached.values()]
    }
    const words = {
      method,
      timeoutMs: MEMBERS_MS,
      endsAt,
      signal: undefined,
      isRollOnly: m === 'count',
    }
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
      progress,
    }: Pick<GroupCall, 'group' | 'method' | 'except'> &
      Partial<MembersWatch> & { readonly progress?: TargetsProgress | undefined },
    said: Partial<CallHead>,
    body: Frame | undefined,
    words: GatherWords,
    events: GatherEvents,
  ): Promise<void> {
    const node = this.#node
    const { directory, subjects } = node
    const topic = topicOfCall(group)
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
      !this.#isClosed &&
      !isFull &&
      (only
        ? node.send(only.id, Kind.call, { ...head, ask: true }, body)
        : node.publish(subject, Kind.call, head, body))
    if (!isSent) {
      const ids = only ? [only.id] : this.#askable(group)
      for (const id of ids) lose(id, this.#isClosed ? CLOSED : isFull ? FULL : DOWN)
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
      this.#running.set(c, { gather, method, head, body, step, only, progress })
      gather.suppose(expected())
      void node.barrier().then(
        () => gather.expect(expected()),
        // The engine is down, and announcements may be lost with it: each node may have got it.
        () => gather.expect(only ? [only] : directory.expected('all')),
      )
    })
  }

  /**
   * Waits until the node has found out who is there, as long as the call waits.
   *
   * @returns why nobody can be asked; undefined if they can.
   */
  async #whyNotReady({
    endsAt,
    signal,
  }: Pick<CallLimits, 'endsAt' | 'signal'>): Promise<string | undefined> {
    if (signal?.aborted) return GIVEN_UP
    if (this.#node.state === 'joining') {
      let end = () => {}
      const ended = new Promise<void>((resolve) => (end = resolve))
      const stop = signal && onAbort(signal, end)
      const left = Math.max(0, endsAt - performance.now())
      const timer = left <= MAX_TIMER_MS ? setTimeout(end, left) : undefined
      // The node may begin after this call has ended, or never.
      await Promise.race([this.#node.ready().catch(() => {}), ended])
      clearTimeout(timer)
      stop?.()
    }
    if (signal?.aborted) return GIVEN_UP
    const { state } = this.#node
    if (state === 'left') return this.#isClosed ? CLOSED : NOT_STARTED
    return state === 'joining' ? JOINING : undefined
  }

  /** The nodes that a call goes to; this one stands for all others if it has not found out yet who is there. */
  #askable(group: string | undefined): string[] {
    const { directory, hasJoined, id } = this.#node
    const known = directory.expected(topicOfCall(group)).map((record) => record.id)
    return hasJoined || directory.size > 0 ? known : [id]
  }

  /** No node is asked: each is an outcome. */
  #unasked(
    { method, group }: Pick<GroupCall, 'method' | 'group'>,
    give: GiveOutcome,
    why: string,
    cause?: unknown,
  ): void {
    for (const node of this.#askable(group)) {
      give({ status: 'unreached', node, error: own(notSent(method, why, cause)) }, LAST)
    }
  }

  /** @throws {RpcConfigError} if the options are wrong. */
  #limitsOf({ method, options }: GroupCall): CallLimits {
    if (!options) return this.#limits(this.#host.timeout)
    assertCallOptions(method, options, nearestName, NO_MORE)
    const signal = assertSignal(method, options.signal)
    const { idle, total } =
      options.timeout === undefined
        ? this.#host.timeout
        : readTimeout(method, options.timeout, nearestName)
    const left = Math.max(0, Math.min(total, deadlineOf(signal) - performance.now()))
    return this.#limits({ idle, total: left }, signal)
  }

  #limits(time: TimeLimits, signal?: AbortSignal): CallLimits {
    return { time, endsAt: performance.now() + time.total, signal }
  }

  /** Writes the message. If it can't be sent, the targets are only asked for, and each has that error. */
  #prepare(call: GroupCall): Prepared {
    const { method, params } = call
    let limits: CallLimits
    try {
      assertName(method)
      limits = this.#limitsOf(call)
    } catch (error) {
      return { ...this.#limits(this.#host.timeout), error: error as RpcError }
    }
    const { clients } = this.#host
    if (clients && !definitionOf(clients, method)) {
      const message = `Unknown method ${quoted(method)}: the other side of the contract ${insteadOf(method, clients)}`
      return { ...limits, error: new RpcConfigError(message, { method }) }
    }
    try {
      assertOptionsForMany(method, definitionOf(clients, method), call.options)
    } catch (error) {
      return { ...limits, error: error as RpcError }
    }
    try {
      if (params !== undefined && (typeof params !== 'object' || params === null)) {
        throw new TypeError(
          'params are one object of named params. Put them in braces: { name: value }',
        )
      }
      const message = { jsonrpc: '2.0', method, ...(params !== undefined && { params }) }
      return { ...limits, ...writePayload(this.#host.format, message) }
    } catch (cause) {
      return { ...limits, error: unencodable({ method }, this.#host.format, DIAGNOSTICS, cause) }
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

  #progressOf(
    method: string,
    definition: Definition | undefined,
    listener: NonNullable<SendOptions['onProgress']>,
  ): TargetsProgress {
    const settings = { format: this.#host.format, diagnostics: DIAGNOSTICS }
    return new TargetsProgress(() => ({
      check: (value) => checkResult(definition, method, 'progress', value, { settings }),
      listener: listener as (value: unknown) => unknown,
      error: (error) =>
        this.#host.error(error, outgoingContext({ method, kind: 'method' }, 'progress')),
    }))
  }

  #progressed(from: string, params: unknown): void {
    if (!isObject(params) || !isCount(params.c) || !isShortId(params.id)) return
    const { c, id, value } = params
    const running = this.#running.get(c)
    if (running?.gather.isOpen(from, id)) running.progress?.heard({ node: from, id }, value)
  }

  #target({ id, node }: GatherTarget): {
    channel: AnyRemoteChannel
    channelId: string
    node: string
  } {
    const channelId = node + id
    return { channel: this.#host.channel(channelId), channelId, node }
  }
}

/** @throws {RpcConfigError} if an option of a call can't be used for many targets. */
function assertOptionsForMany(
  method: string,
  definition: Definition | undefined,
  options: SendOptions | undefined,
): void {
  if (options?.input !== undefined || schemaOf(definition, 'input')) {
    throw new RpcConfigError(
      `"${method}" has input, which can't be sent to many nodes at once: call each client by endpoint.channel(id)`,
      { method },
    )
  }
  if (options?.onProgress === undefined) return
  const { onProgress: value } = options
  assertListener({ method, kind: 'method', definition, options, value })
}

const NO_MORE: ReadonlyMap<string, unknown> = new Map()
const UNNAMED = 'it has not said which they are'
const CLOSED = 'this endpoint was closed'
const GIVEN_UP = 'the call was given up'
const JOINING = 'this node had not found out yet which other nodes there are'
const NOT_STARTED = 'the engine of the cluster could not be started'
const DOWN = 'the engine of the cluster is down'
const FULL = 'too much waits to be sent to the engine of the cluster'
const FOREIGN = 'it shares no version of the protocol between nodes with this one'
const GONE = {
  left: 'it was closed',
  dead: 'it died',
  silent: 'nothing was heard of it for too long',
} as const

/** @param group undefined for all channels. */
function topicOfCall(group: string | undefined): number | 'all' {
  return group === undefined ? 'all' : topicOf(group)
}

function notSent(method: string, why: string, cause?: unknown): RpcDisconnectedError {
  // It may be no text, if nobody is asked.
  const message = `"${String(method)}" was not sent to the clients of a node: ${why}`
  const known = cause !== undefined && { cause }
  return new RpcDisconnectedError(message, 'not-sent', { method, ...known })
}

function finite(ms: number): number | null {
  return ms <= MAX_TIMER_MS ? Math.ceil(ms) : null
}
