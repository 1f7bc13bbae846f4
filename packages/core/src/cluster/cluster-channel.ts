import { assertCallOptions } from '../calls/call-options.js'
import type { CallOptions, Other, RpcStream, SendOptions } from '../calls/functions.js'
import type { UntypedSide } from '../calls/peer.js'
import { createRemote } from '../calls/remote.js'
import { assertClose, type LiveChannel } from '../channels/live-channel.js'
import type { ContractSide } from '../contract/contract.js'
import { RpcConfigError } from '../errors/errors.js'
import { nearestName } from '../errors/nearest.js'
import { quoted } from '../errors/quoted.js'
import type { RemoteChannel } from '../server/remote-channel.js'
import { CloseCode } from '../transport/close-codes.js'
import type { NodeLink } from './links.js'

/** What remote channels need of their node. */
export interface RemoteChannelHost {
  readonly node: string
  readonly clients: ContractSide | undefined
  /** The channel of this node with this id, if there is one. */
  channel(id: string): LiveChannel | undefined
  link(node: string): NodeLink
}

/** The service of a node that ends a channel. */
export const CLOSE = 'channel.close'

/** The params of {@link CLOSE}. */
export interface CloseParams {
  readonly id: string
  readonly code: number
  readonly reason: string
}

const CHANNEL_ID = /^[0-9a-f]{48}$/

/** @returns the node that a channel or a session belongs to, by its id; undefined if it can't be one of a cluster. */
export function nodeOf(id: string): string | undefined {
  return CHANNEL_ID.test(id) ? id.slice(0, 16) : undefined
}

/** A client of any node. */
export class ClusterChannel implements RemoteChannel<UntypedSide> {
  readonly id: string
  readonly node: string
  readonly #host: RemoteChannelHost
  #other: object | undefined

  /** @throws {RpcConfigError} if it is not the id of a channel. */
  constructor(id: unknown, host: RemoteChannelHost) {
    const node = typeof id === 'string' ? nodeOf(id) : undefined
    if (node === undefined) {
      const what = typeof id === 'string' ? quoted(id) : `of type ${typeof id}`
      throw new RpcConfigError(
        `The id of a channel in a cluster must have 48 hexadecimal digits, as channel.id has. This one is ${what}`,
      )
    }
    this.id = id as string
    this.node = node
    this.#host = host
  }

  get other(): Other<UntypedSide> {
    this.#other ??= createRemote(this.#host.clients, this)
    return this.#other as Other<UntypedSide>
  }

  call(method: string, params?: unknown, options?: SendOptions): Promise<unknown> {
    const here = this.#here
    if (here) return here.call(method, params, options)
    return this.#far((link, to) => link.call(method, params, to), method, options)
  }

  stream(method: string, params?: unknown, options?: SendOptions): RpcStream<never> {
    const here = this.#here
    if (here) return here.stream(method, params, options)
    return this.#link.stream(method, params, this.#to(method, options))
  }

  notify(method: string, params?: unknown, options?: CallOptions): Promise<void> {
    const here = this.#here
    if (here) return here.notify(method, params, options)
    return this.#far((link, to) => link.notify(method, params, to), method, options)
  }

  async close(code: number = CloseCode.normal, reason = ''): Promise<boolean> {
    assertClose(code, reason)
    const here = this.#here
    if (here) {
      await here.close(code, reason)
      return true
    }
    const params: CloseParams = { id: this.id, code, reason }
    if (this.node === this.#host.node) return false
    return (await this.#link.call(CLOSE, params)) === true
  }

  get #here(): LiveChannel | undefined {
    return this.#host.channel(this.id)
  }

  get #link(): NodeLink {
    return this.#host.link(this.node)
  }

  async #far<T>(
    send: (link: NodeLink, options: SendOptions) => Promise<T>,
    method: string,
    options: SendOptions | undefined,
  ): Promise<T> {
    return send(this.#link, this.#to(method, options))
  }

  /** The options of a call over a link. The channel comes first: what follows depends on it. */
  #to(method: string, options: SendOptions | undefined): SendOptions {
    if (options !== undefined) assertCallOptions(method, options, nearestName, NONE)
    return { to: this.id, ...options } as SendOptions
  }
}

const NONE: ReadonlyMap<string, unknown> = new Map()
