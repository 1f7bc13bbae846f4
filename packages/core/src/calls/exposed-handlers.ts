import { isPlain } from '../base/is-plain.js'
import { assertMethodName, type FlatSide, type Side } from '../contract/contract.js'
import { definitionOf } from '../contract/definition.js'
import { assertDuration } from '../errors/assert-number.js'
import { RpcConfigError } from '../errors/errors.js'
import { checkOptions, kindOf } from '../errors/options.js'
import type { CoreContext } from './core-context.js'
import type { Diagnostics } from './diagnostics.js'
import type { Mounts } from './feature.js'
import {
  type AnyHandler,
  EXPOSE_OPTIONS,
  type ExposeOptions,
  type HandlersByName,
} from './handler.js'

/** The names under which handlers may be exposed. */
export interface Exposable {
  /** The methods that the contract gives this side; without a contract, every name may be a method. */
  readonly localSide: FlatSide | undefined
  /** The methods that the contract gives the other side, for messages. */
  readonly remoteSide: FlatSide | undefined
  /** The name of this side in the contract, for messages. */
  readonly side: Side
  readonly settings: { readonly diagnostics: Diagnostics | undefined }
}

/** The handlers of this side, by name. */
export class ExposedHandlers {
  readonly #core: CoreContext
  readonly #mounts: Mounts | undefined
  /** All handlers of each name, the newest last. */
  byName: HandlersByName
  /** Whether the map may be shared with other channels. */
  #isShared = true
  /** How long calls wait for a handler, by its name, if a handler was exposed with `waitForMount`. */
  #waits: Map<string, number> | undefined

  /**
   * @param byName the first handlers; other channels may share the map.
   * @param mounts lets calls wait for a handler; without it, no call waits.
   */
  constructor(byName: HandlersByName, core: CoreContext, mounts: Mounts | undefined) {
    this.byName = byName
    this.#core = core
    this.#mounts = mounts
  }

  /** The map of this channel alone, instead of a shared one. */
  get #own(): Map<string, readonly AnyHandler[]> {
    if (this.#isShared) this.byName = new Map(this.byName)
    this.#isShared = false
    return this.byName as Map<string, readonly AnyHandler[]>
  }

  /** The names that have handlers. */
  get names(): Iterable<string> {
    return this.byName.keys()
  }

  /**
   * Adds a handler. While it is the newest of its name, it serves the method.
   *
   * @returns a function that removes the handler.
   * @throws {RpcConfigError} if the name can't be a method's or is not in the contract, if the handler is not a
   *   function, or if an option is wrong.
   */
  add(method: string, handler: AnyHandler, options: ExposeOptions = {}): () => void {
    assertExposable(this.#core.kind, method, handler)
    checkOptions('expose', options, EXPOSE_OPTIONS, this.#core.kind.settings.diagnostics?.nearest)
    const { waitForMount } = options
    if (waitForMount !== undefined) {
      this.#waits ??= new Map()
      this.#waits.set(method, assertDuration('waitForMount', waitForMount))
    }
    const entry: AnyHandler = (params, context) => handler(params, context)
    const before = this.byName.get(method) ?? NONE
    this.byName = this.#own.set(method, [...before, entry])
    if (before.length === 0) {
      this.#core.handlersChanged()
      this.#mounts?.mounted(this.#core, method)
    }
    return () => {
      const left = this.byName.get(method)?.filter((other) => other !== entry)
      if (left?.length) this.byName = this.#own.set(method, left)
      else if (this.#own.delete(method)) this.#core.handlersChanged()
    }
  }

  /**
   * Waits for a handler, if there is none, as long as calls of this name may wait.
   *
   * @param signal called only if the call must wait.
   * @returns all handlers of that name, the newest last; an empty list if none was exposed.
   */
  async awaited(method: string, signal: () => AbortSignal): Promise<readonly AnyHandler[]> {
    const until =
      performance.now() + (this.#waits?.get(method) ?? this.#core.kind.settings.waitForMount)
    for (;;) {
      const handlers = this.byName.get(method) ?? NONE
      const left = until - performance.now()
      if (handlers.length > 0 || left <= 0 || !this.#mounts || signal().aborted) return handlers
      await this.#mounts?.wait(this.#core, method, left, signal())
    }
  }
}

const NONE: readonly AnyHandler[] = []

/**
 * The functions of an object, by their names. A member that is undefined adds no handler, but its name is checked, too.
 *
 * @throws {RpcConfigError} as {@link assertExposable} does.
 */
export function handlersOf(methods: object | undefined, exposable: Exposable): HandlersByName {
  const byName = new Map<string, readonly AnyHandler[]>()
  addHandlers(byName, methods ?? {}, exposable, '')
  return byName
}

/**
 * Adds the functions of an object, and of its groups, by their paths.
 *
 * @throws {RpcConfigError} as {@link assertExposable} does, and if a name has a handler already.
 */
export function addHandlers(
  byName: Map<string, readonly AnyHandler[]>,
  methods: object,
  exposable: Exposable,
  prefix: string,
): void {
  for (const [key, handler = notYet] of Object.entries(methods)) {
    const name = prefix + key
    if (mayBeGroup(name, handler, exposable)) {
      if (!isPlain(handler)) {
        throw new RpcConfigError(
          `The handlers of "${name}" must be an object literal of functions, such as { get: (params) => … }, and not ${kindOf(handler)}`,
          { method: name },
        )
      }
      addHandlers(byName, handler, exposable, `${name}.`)
      continue
    }
    assertExposable(exposable, name, handler)
    if (handler === notYet) continue
    if (byName.has(name)) {
      throw new RpcConfigError(`"${name}" has two handlers: remove one of them`, { method: name })
    }
    byName.set(name, [handler])
  }
}

function notYet(): void {}

/** Whether what is given for a name is meant as the handlers of a group. An empty object is that only for a group. */
function mayBeGroup(name: string, given: unknown, { localSide }: Exposable): given is object {
  if (typeof given !== 'object' || given === null || definitionOf(localSide, name)) return false
  const isEmpty = Object.keys(given).length === 0
  const isGroup = localSide && Object.keys(localSide).some((path) => path.startsWith(`${name}.`))
  return isGroup || !isEmpty
}

/**
 * Checks that a handler can be exposed under a name.
 *
 * @throws {RpcConfigError} if the name can't be a method's or is not in the contract, or if the handler is not a
 *   function.
 */
export function assertExposable(
  { localSide, remoteSide, side, settings }: Exposable,
  method: string,
  handler: unknown,
): void {
  assertMethodName(method)
  if (localSide && !definitionOf(localSide, method)) {
    const { diagnostics } = settings
    const instead =
      diagnostics?.insteadOf(method, localSide, remoteSide, side) ?? 'has no such method'
    throw new RpcConfigError(
      `"${method}" can't be exposed: the contract's ${side} side ${instead}`,
      { method },
    )
  }
  if (typeof handler !== 'function') {
    throw new RpcConfigError(
      `The handler of "${method}" must be a function. It is ${kindOf(handler)}`,
      { method },
    )
  }
}
