import {
  assertMethodName,
  type ContractSide,
  definitionOf,
  type Side,
} from '../contract/contract.js'
import { insteadOf } from '../contract/unknown-name.js'
import { assertDuration } from '../errors/assert-number.js'
import { assertOptions, kindOf } from '../errors/assert-options.js'
import { RpcConfigError } from '../errors/errors.js'
import type { ChannelContext } from './channel-context.js'
import type { Mounts } from './feature.js'
import {
  type AnyHandler,
  EXPOSE_OPTIONS,
  type ExposeOptions,
  type HandlersByName,
} from './handler.js'

/** What a handler may be exposed as. */
export interface Exposable {
  /** The methods the contract gives this side; without it every name can be a method's. */
  readonly localSide: ContractSide | undefined
  /** What the contract calls this side, for messages. */
  readonly side: Side
}

/** What is told of the handlers. */
export interface ExposedHandlersEvents {
  /** A name has its first handler, or has lost its last. */
  handlersChanged(): void
}

/** The handlers of this side, by name. */
export class ExposedHandlers {
  readonly #channel: ChannelContext
  readonly #mounts: Mounts | undefined
  readonly #events: ExposedHandlersEvents
  #byName: HandlersByName
  /** Whether others may have the same map. */
  #isShared = true
  /** How long calls wait, by the name, where a handler has said so. */
  #waits: Map<string, number> | undefined

  /**
   * @param byName those there are from the beginning; others may have the same map.
   * @param mounts lets calls wait for a handler; without it, none waits.
   */
  constructor(
    byName: HandlersByName,
    channel: ChannelContext,
    mounts: Mounts | undefined,
    events: ExposedHandlersEvents,
  ) {
    this.#byName = byName
    this.#channel = channel
    this.#mounts = mounts
    this.#events = events
  }

  /** Those of its own, in place of what it shares. */
  get #own(): Map<string, readonly AnyHandler[]> {
    if (this.#isShared) this.#byName = new Map(this.#byName)
    this.#isShared = false
    return this.#byName as Map<string, readonly AnyHandler[]>
  }

  /** The names that have handlers. */
  get names(): Iterable<string> {
    return this.#byName.keys()
  }

  /** All of a name, the newest last. */
  of(method: string): readonly AnyHandler[] {
    return this.#byName.get(method) ?? NONE
  }

  /**
   * Adds a handler; while it is the newest of its name, it serves the method.
   *
   * @returns takes it away again.
   * @throws {RpcConfigError} where the name can't be a method's or is not in the contract, the
   *   handler is no function, or an option is wrong.
   */
  add(method: string, handler: AnyHandler, options: ExposeOptions = {}): () => void {
    assertExposable(this.#channel.kind, method, handler)
    assertOptions('expose', options, EXPOSE_OPTIONS)
    const { waitForMount } = options
    if (waitForMount !== undefined) {
      this.#waits ??= new Map()
      this.#waits.set(method, assertDuration('waitForMount', waitForMount))
    }
    const entry: AnyHandler = (params, context) => handler(params, context)
    const before = this.of(method)
    this.#byName = this.#own.set(method, [...before, entry])
    if (before.length === 0) {
      this.#events.handlersChanged()
      this.#mounts?.mounted(this.#channel, method)
    }
    return () => {
      const left = this.of(method).filter((other) => other !== entry)
      if (left.length > 0) this.#byName = this.#own.set(method, left)
      else if (this.#own.delete(method)) this.#events.handlersChanged()
    }
  }

  /**
   * Waits for a handler where there is none, as long as its calls wait.
   *
   * @param signal asked for only where there is something to wait for.
   * @returns all of that name, the newest last; none where none has come.
   */
  async awaited(method: string, signal: () => AbortSignal): Promise<readonly AnyHandler[]> {
    const until =
      performance.now() + (this.#waits?.get(method) ?? this.#channel.kind.settings.waitForMount)
    for (;;) {
      const handlers = this.of(method)
      const left = until - performance.now()
      if (handlers.length > 0 || left <= 0 || !this.#mounts || signal().aborted) return handlers
      await this.#mounts?.wait(this.#channel, method, left, signal())
    }
  }
}

const NONE: readonly AnyHandler[] = []

/**
 * An object's functions, by their names: those that are undefined are not there yet, and their names are checked, too.
 *
 * @throws {RpcConfigError} as {@link assertExposable}.
 */
export function handlersOf(methods: object | undefined, exposable: Exposable): HandlersByName {
  const entries = Object.entries(methods ?? {})
  for (const [name, handler = notYet] of entries) assertExposable(exposable, name, handler)
  return new Map(entries.flatMap(([name, handler]) => (handler ? [[name, [handler]]] : [])))
}

function notYet(): void {}

/**
 * Checks that a handler can be exposed under a name.
 *
 * @throws {RpcConfigError} where the name can't be a method's or is not in the contract, or the
 *   handler is no function.
 */
export function assertExposable(
  { localSide, side }: Exposable,
  method: string,
  handler: unknown,
): void {
  assertMethodName(method)
  if (localSide && !definitionOf(localSide, method)) {
    throw new RpcConfigError(
      `"${method}" can't be exposed: the contract's ${side} side ${insteadOf(method, localSide)}`,
      { method },
    )
  }
  if (typeof handler !== 'function') {
    throw new RpcConfigError(
      `The handler of "${method}" must be a function; it is ${kindOf(handler)}`,
      { method },
    )
  }
}
