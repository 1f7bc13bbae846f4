import { assertMethodName, type ContractSide, definitionOf } from '../contract.js'
import { RpcConfigError } from '../errors.js'
import { EMPTY_MAP, ownMap } from './empty.js'
import type { HandlerContext } from './functions.js'
import { assertWait, MountWait } from './mount-wait.js'

/** A handler as those who run it know it: its params are validated, its types are gone. */
// biome-ignore lint/suspicious/noExplicitAny: the channels of all contracts, and only `any` is all
export type AnyHandler = (params: unknown, context: HandlerContext<any>) => unknown

/** What a handler may be exposed as. */
export interface Exposable {
  /** The methods the contract gives this side; without it every name can be a method's. */
  readonly side: ContractSide | undefined
  /** What the contract calls this side, for messages. */
  readonly sideName: string
}

/** How a handler is exposed. */
export interface ExposeOptions {
  /**
   * How long calls and notifications of its name wait for the next handler once this one is taken away, in ms.
   * Default: the channel's own `waitForMount`.
   */
  waitForMount?: number | undefined
}

export interface ExposedHandlersOptions extends Exposable {
  /** How long calls wait for a handler, in ms, where no handler of their name has said more. */
  readonly waitForMount: number
  /** A name has its first handler, or has lost its last. */
  readonly changed: () => void
}

/** The handlers of this side, by name. */
export class ExposedHandlers {
  readonly #options: ExposedHandlersOptions
  #byName: Map<string, readonly AnyHandler[]> = EMPTY_MAP
  /** Whether others have the same map. */
  #isShared = false
  /** How long calls wait, by the name, where a handler has said so. */
  #waits: Map<string, number> | undefined
  #mountWait: MountWait | undefined

  constructor(options: ExposedHandlersOptions) {
    this.#options = options
  }

  /** Takes all of an object's functions, before anything else is added; with others that have the same. */
  share(methods: object): void {
    this.#byName = sharedHandlers(methods, this.#options)
    this.#isShared = true
    if (this.#byName.size > 0) this.#options.changed()
  }

  /** Those of its own, in place of what it shares. */
  get #own(): Map<string, readonly AnyHandler[]> {
    if (this.#isShared) this.#byName = new Map(this.#byName)
    this.#isShared = false
    return ownMap(this.#byName)
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
  add(method: string, handler: AnyHandler, { waitForMount }: ExposeOptions = {}): () => void {
    assertExposable(this.#options, method, handler)
    if (waitForMount !== undefined) {
      this.#waits ??= new Map()
      this.#waits.set(method, assertWait(waitForMount))
    }
    const entry: AnyHandler = (params, context) => handler(params, context)
    const before = this.of(method)
    this.#byName = this.#own.set(method, [...before, entry])
    if (before.length === 0) {
      this.#options.changed()
      this.#mountWait?.mounted(method)
    }
    return () => {
      const left = this.of(method).filter((other) => other !== entry)
      if (left.length > 0) this.#byName = this.#own.set(method, left)
      else if (this.#own.delete(method)) this.#options.changed()
    }
  }

  /**
   * Waits for a handler where there is none, as long as its calls wait.
   *
   * @param signal asked for only where there is something to wait for.
   * @returns all of that name, the newest last; none where none has come.
   */
  async awaited(method: string, signal: () => AbortSignal): Promise<readonly AnyHandler[]> {
    const until = performance.now() + (this.#waits?.get(method) ?? this.#options.waitForMount)
    for (;;) {
      const handlers = this.of(method)
      const left = until - performance.now()
      if (handlers.length > 0 || left <= 0 || signal().aborted) return handlers
      this.#mountWait ??= new MountWait()
      await this.#mountWait.for(method, left, signal())
    }
  }
}

const NONE: readonly AnyHandler[] = []

/** Of objects of functions: a server has the same for each of its channels. */
const shared = new WeakMap<object, ReadonlyMap<string, readonly AnyHandler[]>>()

/** @throws {RpcConfigError} as {@link assertExposable}. */
function sharedHandlers(methods: object, exposable: Exposable): Map<string, readonly AnyHandler[]> {
  const entries = Object.entries(methods).filter(([, handler]) => handler !== undefined)
  const before = shared.get(methods)
  const isSame =
    before?.size === entries.length &&
    entries.every(([name, handler]) => before.get(name)?.[0] === handler)
  const made = isSame ? before : new Map(entries.map(([name, handler]) => [name, [handler]]))
  for (const [name, handler] of entries) assertExposable(exposable, name, handler)
  shared.set(methods, made)
  // It is copied before anything is changed.
  return made as Map<string, readonly AnyHandler[]>
}

/**
 * Checks that a handler can be exposed under a name.
 *
 * @throws {RpcConfigError} where the name can't be a method's or is not in the contract, or the
 *   handler is no function.
 */
export function assertExposable(
  { side, sideName }: Exposable,
  method: string,
  handler: unknown,
): void {
  assertMethodName(method)
  if (side && !definitionOf(side, method)) {
    const known = Object.keys(side).join(', ') || 'nothing'
    throw new RpcConfigError(
      `"${method}" can't be exposed: the contract's ${sideName} side has ${known}. Add it there, or correct the name`,
      { method },
    )
  }
  if (typeof handler !== 'function') {
    throw new RpcConfigError(`The handler of "${method}" must be a function`, { method })
  }
}
