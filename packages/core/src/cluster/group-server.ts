import { MAX_TIMER_MS } from '../base/max-timer.js'
import { unref } from '../base/unref.js'
import type { CallOptions, SendOptions } from '../calls/functions.js'
import type { Meta } from '../calls/middleware-call.js'
import { notFound } from '../calls/refusals.js'
import { SharedNotification } from '../calls/shared-notification.js'
import { notifyAll } from '../channels/audience.js'
import type { LiveChannel } from '../channels/live-channel.js'
import type { FlatSide } from '../contract/contract.js'
import { definitionOf, schemaOf } from '../contract/definition.js'
import { withOrigin } from '../errors/error-origin.js'
import {
  ErrorCode,
  RpcDisconnectedError,
  RpcError,
  RpcOverloadedError,
  RpcValidationError,
} from '../errors/errors.js'
import { whyNoMeta } from '../features/middleware/meta.js'
import { type ErrorContext, IN_FRAME, outgoingContext } from '../logging/error-context.js'
import type { Format } from '../wire/format.js'
import { classify } from '../wire/message.js'
import { isObject } from './checks.js'
import type { ClusterNode } from './cluster-node.js'
import { type Envelope, isCount, Kind } from './envelope.js'
import type { ForeignCalls } from './foreign-calls.js'
import {
  type CallHead,
  GROUP_CANCEL,
  GROUP_OUTCOMES,
  GROUP_PROGRESS,
  GROUP_ROLL,
} from './gathers.js'
import type { ToldMember } from './members.js'
import type { NodeLinks } from './node-links.js'
import type { NodeRecord } from './node-record.js'
import { differentCodecs, isPayloadHead, type PayloadHead, readPayload } from './payload.js'
import { type ToldOutcome, toldFailure, toldValue } from './told-outcome.js'

/** The functions of an endpoint that calls of other nodes use. */
export interface GroupServerHost {
  readonly clients: FlatSide | undefined
  readonly format: Format
  /** The channels of a group here; all if it is undefined. */
  membersOf(group: string | undefined): Iterable<LiveChannel>
  /** A group is watched from now on. @returns the number of its last change. */
  watched(group: string | undefined): number
  describe(channel: LiveChannel, group: string | undefined): ToldMember
  /** The calls of other nodes that run here. */
  readonly calls: ForeignCalls
  error(thrown: unknown, context: ErrorContext): void
}

/** How long a call is remembered after it came, at least, so that it runs once, in ms. */
const SEEN_MS = 60_000
/** The most targets that one message names. */
const MAX_IDS = 1_000
/** After how long outcomes are sent again that the engine had no room for, in ms. */
const AGAIN_MS = 100
/** The most outcomes of one message. */
const MAX_OUTCOMES = 200

/** What a node is told of the targets of its call. */
interface Targets {
  /** The last 32 digits of their ids. */
  readonly ids: readonly string[]
  /** The number of the last change of the group's members, if it is watched. */
  readonly step: number | undefined
  /** The name of this node's codec, if the call came in another one: then nothing is called. */
  readonly codec?: string | undefined
}

/** A call of another node that has come here. */
interface Run extends Targets {
  /** The epoch of this node in which it has come. */
  readonly epoch: number
  /** Ends its calls. */
  readonly giveUp: AbortController
  /** It runs nothing, or no more. Until then it is remembered. */
  isOver: boolean
}

/** Runs the calls of other nodes at the channels of this one, each once, and tells what became of each target. */
export class GroupServer {
  readonly #node: ClusterNode
  readonly #links: NodeLinks
  readonly #host: GroupServerHost
  /** The calls that have come, by their caller and by their number. It counts on in its next epochs. */
  readonly #seen = new Map<string, Map<number, Run>>()
  readonly #forgetting = new Set<ReturnType<typeof setTimeout>>()

  constructor(node: ClusterNode, links: NodeLinks, host: GroupServerHost) {
    this.#node = node
    this.#links = links
    this.#host = host
    node.on(Kind.call, (envelope, record) => this.#called(envelope, record))
    node.on(Kind.notify, (envelope) => this.#notified(envelope))
    links.serve(GROUP_CANCEL, (from, params) => this.#cancelled(from, params))
    node.watch({
      gone: ({ id }) => this.#gone(id),
      renewed: () => {
        for (const runs of this.#seen.values()) for (const run of runs.values()) giveUp(run)
      },
    })
  }

  /** The endpoint is closed. */
  close(): void {
    for (const node of this.#seen.keys()) this.#gone(node)
    for (const timer of this.#forgetting) clearTimeout(timer)
  }

  /** A node is gone: its calls are aborted. They stay known, as its messages may still arrive. */
  #gone(node: string): void {
    for (const run of this.#seen.get(node)?.values() ?? []) giveUp(run)
  }

  #cancelled(from: string, params: unknown): void {
    if (!isObject(params) || !isCount(params.c)) return
    const run = this.#seen.get(from)?.get(params.c)
    if (run) giveUp(run)
    // The call may come later, as it is sent in another way.
    else this.#remember(from, params.c, NEVER, 0)
  }

  #called({ head, body }: Envelope, record: NodeRecord): void {
    const call = readCall(head)
    if (!call) return
    const node = this.#node
    const { c, dead, ask, ms } = call
    const given = epochIn(dead, node.id)
    if (given >= node.epoch) {
      // The caller has given up this node, and drops its messages until it knows of a new epoch.
      node.buried(given)
      return
    }
    // The caller did not know yet of the new epoch, and expects no answer. If it learns of the epoch in time, it asks.
    if (given > 0 && !ask) return
    // The caller may not know this node yet. If it does, it asks.
    if (!ask && !node.isAnnounced) return
    const before = this.#seen.get(record.id)?.get(c)
    if (before) {
      // What it owed in an earlier epoch is lost, and the caller knows that.
      this.#tellRoll(record, c, before.epoch === node.epoch ? before : OVER)
      return
    }
    const left = new Set(call.x)
    const targets = node.isLeaving
      ? []
      : [...this.#host.membersOf(call.g)].filter(({ id }) => !left.has(id))
    const ids = targets.map(({ id }) => id.slice(16))
    const step = call.w ? this.#host.watched(call.g) : undefined
    const { epoch } = node
    const { name } = this.#host.format.codec
    // A link needs one codec. Without it, all is in the roll.
    const asked = call.f?.codec ?? record.codec
    const codec = asked === '' || asked === name ? undefined : name
    const isOver = !call.f || ids.length === 0 || codec !== undefined
    const run: Run = { ids, step, codec, epoch, giveUp: new AbortController(), isOver }
    this.#remember(record.id, c, run, ms?.[0] ?? 0)
    this.#tellRoll(record, c, run)
    if (ids.length === 0 || codec !== undefined) return
    const outcomes = new Outcomes(this.#links, this.#node, record, c)
    this.#linkRoll(record, c, run)
    if (call.f) this.#run(record, call, call.f, body, targets, run, outcomes)
    else if (call.m === 'members') {
      for (const [at, target] of targets.entries()) {
        outcomes.add(toldValue(ids[at] as string, this.#host.describe(target, call.g)))
      }
    } else if (!call.m) for (const id of ids) outcomes.add(toldValue(id, null))
  }

  /** Tells the targets at once, in a message that may be lost. */
  #tellRoll(record: NodeRecord, c: number, { ids, step: s, codec }: Targets): void {
    const n = ids.length
    for (let at = 0; at === 0 || at < n; at += MAX_IDS) {
      this.#node.send(record.id, Kind.roll, {
        c,
        at,
        n,
        ids: ids.slice(at, at + MAX_IDS),
        ...(s !== undefined && { s }),
        ...(codec !== undefined && { codec }),
      })
    }
  }

  /** Tells the targets over the link, before their outcomes, in a message that is not lost. */
  #linkRoll({ id: node }: NodeRecord, c: number, { ids, step: s }: Run): void {
    const n = ids.length
    for (let at = 0; at < n; at += MAX_IDS) {
      const roll = { c, at, n, ids: ids.slice(at, at + MAX_IDS), ...(s !== undefined && { s }) }
      this.#links
        .to(node)
        .notify(GROUP_ROLL, roll)
        .catch(() => {})
    }
  }

  #run(
    record: NodeRecord,
    { c, ms, key, meta, p }: CallHead,
    f: PayloadHead,
    body: Envelope['body'],
    targets: readonly LiveChannel[],
    run: Run,
    outcomes: Outcomes,
  ): void {
    const { clients } = this.#host
    let call: { method: string; params?: unknown }
    try {
      call = this.#message(f, body)
    } catch (error) {
      run.isOver = true
      for (const id of run.ids) outcomes.add(toldFailure(id, error))
      return
    }
    const { method, params } = call
    const definition = definitionOf(clients, method)
    const isUnknown = clients !== undefined && !definition
    // This node may have an older contract than the caller, in which the method tells none.
    const tellsProgress = p && (!definition || schemaOf(definition, 'progress'))
    const [total, idle] = ms ?? [null, null]
    const options: CallOptions & { passed: Meta } = {
      passed: meta ?? {},
      signal: run.giveUp.signal,
      timeout: { total: total ?? Number.POSITIVE_INFINITY, idle: idle ?? Number.POSITIVE_INFINITY },
      ...(key !== undefined && { idempotencyKey: key }),
    }
    let left = targets.length
    const ended = (outcome: ToldOutcome, told?: () => void) => {
      left--
      if (left === 0) run.isOver = true
      outcomes.add(outcome, told)
    }
    for (const target of targets) {
      const id = target.id.slice(16)
      if (isUnknown) {
        ended(toldFailure(id, withOrigin(notFound(method), { isOwn: false, ran: false })))
        continue
      }
      const told = this.#host.calls.begin(target)
      const withProgress: SendOptions = tellsProgress
        ? { ...options, onProgress: (value) => this.#progressed(record, c, id, method, value) }
        : options
      target.call(method, params, withProgress).then(
        (value) => ended(toldValue(id, value), told),
        (error: unknown) => ended(toldFailure(id, error), told),
      )
    }
  }

  /** A target tells its progress. Until that is on its way, only the newest value waits. */
  async #progressed(
    record: NodeRecord,
    c: number,
    id: string,
    method: string,
    value: unknown,
  ): Promise<void> {
    try {
      await this.#links.to(record.id).notify(GROUP_PROGRESS, { c, id, value })
    } catch (error) {
      // If the caller's node is lost, nobody listens.
      if (this.#node.directory.get(record.id) !== record) return
      this.#host.error(error, outgoingContext({ method, kind: 'method' }, 'progress'))
    }
  }

  /** @throws {RpcError} if it can't be read; it has not run. */
  #message(f: PayloadHead, body: Envelope['body']): { method: string; params?: unknown } {
    const { format } = this.#host
    if (f.codec !== format.codec.name) {
      const text = differentCodecs(f.codec, format.codec.name)
      throw withOrigin(new RpcError(ErrorCode.codecMismatch, text), { isOwn: false, ran: false })
    }
    const message = classify(readPayload(format, f, body))
    if (message.kind === 'notification' || message.kind === 'request') return message
    throw withOrigin(
      new RpcError(ErrorCode.invalidRequest, 'A node sent a message that is not a call'),
      {
        isOwn: false,
        ran: false,
      },
    )
  }

  #notified({ head, body }: Envelope): void {
    if (!isObject(head) || !isPayloadHead(head.f) || !isGroup(head.g) || !areIds(head.x)) return
    const { meta } = head
    if (!isMeta(meta)) return
    const left = new Set(head.x)
    const targets = [...this.#host.membersOf(head.g)].filter(({ id }) => !left.has(id))
    if (targets.length === 0) return
    try {
      const { method, params } = this.#message(head.f, body)
      const options = meta && ({ passed: meta } as CallOptions)
      void notifyAll(targets, new SharedNotification(method, params), options)
    } catch (error) {
      this.#host.error(error, IN_FRAME)
    }
  }

  #remember(node: string, c: number, run: Run, ms: number): void {
    const runs = this.#seen.get(node) ?? new Map<number, Run>()
    this.#seen.set(node, runs.set(c, run))
    this.#forgetIn(Math.min(Math.max(SEEN_MS, ms), MAX_TIMER_MS), node, c, run)
  }

  /** Forgets a call after a time, or later if it still runs then. */
  #forgetIn(ms: number, node: string, c: number, run: Run): void {
    const timer = setTimeout(() => {
      this.#forgetting.delete(timer)
      if (!run.isOver) return this.#forgetIn(SEEN_MS, node, c, run)
      const runs = this.#seen.get(node)
      runs?.delete(c)
      if (runs?.size === 0) this.#seen.delete(node)
    }, ms)
    unref(timer)
    this.#forgetting.add(timer)
  }
}

/** The outcomes of one call, on their way to its caller: those of one turn go together. */
class Outcomes {
  readonly #links: NodeLinks
  readonly #node: ClusterNode
  readonly #caller: NodeRecord
  readonly #c: number
  #waiting: ToldOutcome[] = []
  /** Called when those that wait were told. */
  #told: (() => void)[] = []

  constructor(links: NodeLinks, node: ClusterNode, caller: NodeRecord, c: number) {
    this.#links = links
    this.#node = node
    this.#caller = caller
    this.#c = c
  }

  /** @param told called when it was handed to the engine, or nobody waits for it. */
  add(outcome: ToldOutcome, told?: () => void): void {
    if (told) this.#told.push(told)
    if (this.#waiting.push(outcome) === 1) setImmediate(() => this.#send())
    else if (this.#waiting.length >= MAX_OUTCOMES) this.#send()
  }

  #send(): void {
    const list = this.#waiting
    const told = this.#told
    this.#waiting = []
    this.#told = []
    if (list.length === 0) return
    void this.#tell(list).then(() => {
      for (const tell of told) tell()
    })
  }

  async #tell(list: readonly ToldOutcome[]): Promise<void> {
    const error = await this.#notify(list)
    if (!error) return
    // Together they are too large, or one of them can't be sent.
    if (list.length > 1) {
      for (const outcome of list) await this.#tell([outcome])
      return
    }
    const [only] = list as [ToldOutcome]
    if (!(await this.#notify([toldFailure(only[0], unsendable(error))]))) return
    // Too much waits for the caller's node.
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
    await this.#tell(list)
  }

  /** @returns the error if they can't be sent as they are. If the caller's node is lost, nobody waits for them. */
  async #notify(list: readonly ToldOutcome[]): Promise<RpcError | undefined> {
    const { id } = this.#caller
    if (this.#node.directory.get(id) !== this.#caller) return undefined
    try {
      await this.#links.to(id).notify(GROUP_OUTCOMES, { c: this.#c, list })
    } catch (error) {
      const isUnfit = error instanceof RpcValidationError || error instanceof RpcOverloadedError
      if (isUnfit) return error
    }
    return undefined
  }
}

/** It has run, and its value can't be told. */
function unsendable(cause: RpcError): RpcError {
  const { code, message } = cause
  return withOrigin(new RpcError(code, message, undefined, { cause }), { isOwn: false, ran: null })
}

/** No targets. */
const OVER: Targets = { ids: [], step: undefined }
/** A call that was given up before it came. */
const NEVER: Run = { ...OVER, epoch: 0, giveUp: new AbortController(), isOver: true }

function giveUp(run: Run): void {
  if (run.isOver) return
  run.isOver = true
  run.giveUp.abort(new RpcDisconnectedError('The node that made the call is gone', 'not-received'))
}

/** @returns the epoch in which a node was given up by a caller; 0 if it was not. */
function epochIn(dead: CallHead['dead'], node: string): number {
  const named = dead?.find((name) => typeof name === 'string' && name.startsWith(`${node}.`))
  const epoch = Number(named?.slice(node.length + 1))
  return isCount(epoch) ? epoch : 0
}

/** @returns undefined if a head of another node is not that of a call. */
function readCall(head: unknown): CallHead | undefined {
  if (!isObject(head) || !isCount(head.c) || !isGroup(head.g) || !areIds(head.x)) return undefined
  const { f, ms, key, dead, meta, p } = head
  if (f !== undefined && !isPayloadHead(f)) return undefined
  if (ms !== undefined && !(Array.isArray(ms) && ms.length === 2 && ms.every(isMs)))
    return undefined
  if (key !== undefined && typeof key !== 'string') return undefined
  if (!isMeta(meta) || !(p === undefined || p === true)) return undefined
  if (dead !== undefined && !Array.isArray(dead)) return undefined
  if (!(head.m === undefined || head.m === 'members' || head.m === 'count')) return undefined
  return head as unknown as CallHead
}

function isGroup(group: unknown): group is string | undefined {
  return group === undefined || typeof group === 'string'
}

function areIds(ids: unknown): ids is readonly string[] | undefined {
  return ids === undefined || (Array.isArray(ids) && ids.every((id) => typeof id === 'string'))
}

function isMeta(meta: unknown): meta is Meta | undefined {
  return meta === undefined || whyNoMeta(meta) === undefined
}

function isMs(ms: unknown): boolean {
  return ms === null || (typeof ms === 'number' && ms >= 0)
}
