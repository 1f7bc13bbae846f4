import type { MaybeAsync } from '../base/maybe-async.js'
import { assertCallOptions } from '../calls/call-options.js'
import type { CallOptions } from '../calls/functions.js'
import type { Meta } from '../calls/middleware-call.js'
import type { AnyPeer } from '../calls/peer.js'
import { assertSignal } from '../calls/pending-calls.js'
import type { SharedNotification } from '../calls/shared-notification.js'
import type { FlatSide } from '../contract/contract.js'
import { definitionOf } from '../contract/definition.js'
import { nearestName } from '../errors/nearest.js'
import { type ErrorContext, hookContext } from '../logging/error-context.js'
import type { Format } from '../wire/format.js'
import { assertName } from './checks.js'
import type { ClusterNode } from './cluster-node.js'
import { Kind } from './envelope.js'
import { MAX_BUFFERED_BYTES } from './gathers.js'
import type { CallToMany, GroupMiddleware } from './group-middleware.js'
import { writePayload } from './payload.js'
import { topicOf } from './topics.js'

/** Whether a notification was handed to the engine. */
export type Published = 'published' | 'not-sent'

/** The functions of an endpoint that notifications to many use. */
export interface PublisherHost {
  /** The methods of the clients, by their names on the wire; undefined without a contract. */
  readonly clients: FlatSide | undefined
  readonly format: Format
  /** The middleware of calls to other nodes; undefined if there is none. */
  readonly use: GroupMiddleware | undefined
  /** Stands for the clients of other nodes, for middleware. */
  peer(): AnyPeer
  /** Something failed that no caller learns of. */
  error(thrown: unknown, context: ErrorContext): void
}

/** Publishes notifications for the channels of all other nodes, each once. */
export class Publisher {
  readonly #node: ClusterNode
  readonly #host: PublisherHost

  constructor(node: ClusterNode, host: PublisherHost) {
    this.#node = node
    this.#host = host
  }

  /**
   * @param group undefined for all channels.
   * @param except the ids of channels that do not get it.
   * @returns `not-sent` if the engine is down, too much waits to be sent to it, the codec can't carry the params, the
   *   contract has no such method, an option is wrong, or the signal has aborted: each local target learns of the last
   *   four, too. So it is if middleware does not send it.
   */
  publish(
    group: string | undefined,
    shared: SharedNotification,
    except: ReadonlySet<string>,
    options: CallOptions | undefined,
  ): MaybeAsync<Published> {
    const { method, params } = shared
    let signal: AbortSignal | undefined
    try {
      assertName(method)
      if (options) assertCallOptions(method, options, nearestName, NO_MORE)
      signal = assertSignal(method, options?.signal)
    } catch {
      return 'not-sent'
    }
    const { clients, use } = this.#host
    const isUnknown = clients !== undefined && !definitionOf(clients, method)
    if (isUnknown || signal?.aborted) return 'not-sent'
    if (!use) return this.#publish(group, shared, except, NO_META)
    const kind = 'notification'
    return this.#through(use, { kind, method, params, signal, time: FOR_EVER }, (meta) =>
      this.#publish(group, shared, except, meta),
    )
  }

  async #through(
    use: GroupMiddleware,
    notification: CallToMany,
    publish: (meta: Meta) => Published,
  ): Promise<Published> {
    const { peer, error } = this.#host
    let published: Published = 'not-sent'
    const passage = await use.send(notification, peer(), async (meta) => {
      published = publish(meta)
    })
    if ('error' in passage && passage.error && !notification.signal?.aborted) {
      error(passage.error, hookContext('use'))
    }
    return published
  }

  #publish(
    group: string | undefined,
    { method, params }: SharedNotification,
    except: ReadonlySet<string>,
    meta: Meta,
  ): Published {
    const node = this.#node
    if (!node.isUp || node.options.engine.bufferedBytes > MAX_BUFFERED_BYTES) return 'not-sent'
    const message = { jsonrpc: '2.0', method, ...(params !== undefined && { params }) }
    let payload: ReturnType<typeof writePayload>
    try {
      payload = writePayload(this.#host.format, message)
    } catch {
      return 'not-sent'
    }
    const { f, body } = payload
    const x = [...except]
    const head = {
      ...(group !== undefined && { g: group }),
      ...(x.length > 0 && { x }),
      f,
      ...(Object.keys(meta).length > 0 && { meta }),
    }
    const { subjects } = node
    const subject = group === undefined ? subjects.all : subjects.topic(topicOf(group))
    return node.publish(subject, Kind.notify, head, body) ? 'published' : 'not-sent'
  }
}

const FOR_EVER = { idle: Number.POSITIVE_INFINITY, total: Number.POSITIVE_INFINITY }
const NO_META: Meta = {}
const NO_MORE: ReadonlyMap<string, unknown> = new Map()
