/// <reference lib="esnext.disposable" preserve="true" />

import type { SomeHandlers } from '../calls/functions.js'
import { CHANNEL_HOOKS, type ChannelHooks } from '../calls/hooks.js'
import type { Peer, UntypedSide } from '../calls/peer.js'
import type { Contract } from '../contract/contract.js'
import type { OptionKinds } from '../errors/options.js'
import type { Inspection, WireTap } from '../link/wire-tap.js'
import { CLIENT_SETTINGS, type ClientSettings, type ClientTarget } from './client-options.js'
import type { ClientState } from './state.js'

/** A channel that outlives its connections. */
export interface Client<Local, Remote> extends Peer<Local, Remote>, AsyncDisposable {
  /** The contract that it was made with; undefined without one. */
  readonly contract: Contract | undefined
  /** The present state; a new object after each change. */
  readonly state: ClientState
  /**
   * Calls the listener once for each change of {@link state}. Changes of `inFlight` and `queued` alone are reported
   * later: once for all changes of a turn and, if they go on changing, once in 100 ms. A listener that makes calls when
   * these counts are reported does not get them again until something else changes.
   *
   * @param listener if it throws or rejects, `onError` gets the error.
   * @returns a function that takes the listener away.
   */
  subscribe(listener: (state: ClientState) => void): () => void
  /**
   * Begins to connect if it has not begun yet, or has stopped (`idle`, `failed`, `unauthorized`).
   *
   * @returns a promise that resolves when it is connected, and rejects with `RpcDisconnectedError` when it has stopped.
   */
  connect(): Promise<void>
  /**
   * Attempts to connect at once, instead of at `state.retryAt`. If an attempt is under way, it is cancelled, because it
   * may hang. Does nothing while connected.
   */
  reconnect(): void
  /**
   * For developer tools: every frame of its connections passes through the tap, which replaces an earlier one. The
   * result has facts that the state does not have. (It is not called `inspect`, because printers of values call
   * functions of that name.)
   */
  tap(tap: WireTap): Inspection
  /**
   * Ends it for good: open calls reject with `RpcDisconnectedError`. Resolves when its socket is
   * closed. Safe to call twice.
   */
  close(): Promise<void>
}

/** A client of any contract, or of none. */
// biome-ignore lint/suspicious/noExplicitAny: it stands for every pair of sides, and only `any` does
export type AnyClient = Client<any, any>

/** The options of `createClient`: how to reach the server, how the client behaves, its methods and its hooks. */
export type ClientOptions<Local, Remote, Literal = never> = ClientTarget &
  ClientSettings &
  ChannelHooks<Client<Local, Remote>> & {
    /** The methods that the server can call. More can be added with `expose`. */
    methods?: SomeHandlers<Local, Client<Local, Remote>, Literal>
  }

/** The options of any contract, without their types. */
export type UntypedClientOptions = ClientOptions<UntypedSide, UntypedSide>

export const CLIENT_OPTIONS = {
  ...CLIENT_SETTINGS,
  ...CHANNEL_HOOKS,
  methods: 'object',
} as const satisfies OptionKinds<UntypedClientOptions, 'helloTimeoutMs'>
