import type { ChannelCore } from '../calls/channel-core.js'
import { type CallTrace, type Entry, TRACE } from '../calls/diagnostics.js'
import type { CallOptions, Other, RpcStream, SendOptions } from '../calls/functions.js'
import type { AnyHandler, ExposeOptions } from '../calls/handler.js'
import type { Peer, UntypedSide } from '../calls/peer.js'
import {
  SEND_SHARED,
  type SharedNotification,
  type SharedTarget,
} from '../calls/shared-notification.js'

/** The common base of channels and clients: a peer over a core, without types. */
export abstract class CorePeer implements Peer<UntypedSide, UntypedSide>, SharedTarget {
  protected abstract readonly core: ChannelCore

  /** The id of its core. */
  abstract readonly id: string

  get otherId(): string | null {
    return this.core.otherId
  }

  abstract readonly other: Other<UntypedSide>

  call(method: string, params?: unknown, options?: SendOptions): Promise<unknown> {
    return this.core.call(method, params, options, CorePeer.prototype.call)
  }

  stream(method: string, params?: unknown, options?: SendOptions): RpcStream<never> {
    // The public interfaces have the types of the sides.
    return this.core.stream(method, params, options, CorePeer.prototype.stream) as RpcStream<never>
  }

  notify(method: string, params?: unknown, options?: CallOptions): Promise<void> {
    return this.core.notify(method, params, options, CorePeer.prototype.notify)
  }

  [TRACE](entry: Entry): CallTrace | undefined {
    return this.core.trace(entry)
  }

  [SEND_SHARED](
    notification: SharedNotification,
    options?: CallOptions,
  ): Promise<void> | undefined {
    return this.core.notifyShared(notification, options)
  }

  expose(method: string, handler: AnyHandler, options?: ExposeOptions): () => void {
    return this.core.expose(method, handler, options)
  }
}
