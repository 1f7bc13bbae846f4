import { assertMethodName, type ContractSide, definitionOf } from '../contract.js'
import { RpcConfigError } from '../errors.js'
import type { HandlerContext } from './functions.js'

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

/** The handlers of this side, by name. */
export class ExposedHandlers {
  readonly #exposable: Exposable
  readonly #byName = new Map<string, readonly AnyHandler[]>()

  constructor(exposable: Exposable) {
    this.#exposable = exposable
  }

  /** The names that have handlers. */
  get names(): Iterable<string> {
    return this.#byName.keys()
  }

  /** All of a name, the newest last. */
  of(method: string): readonly AnyHandler[] {
    return this.#byName.get(method) ?? []
  }

  /**
   * Adds a handler; while it is the newest of its name, it serves the method.
   *
   * @returns takes it away again.
   * @throws {RpcConfigError} where the name can't be a method's or is not in the contract, or the
   *   handler is no function.
   */
  add(method: string, handler: AnyHandler): () => void {
    assertExposable(this.#exposable, method, handler)
    const entry: AnyHandler = (params, context) => handler(params, context)
    this.#byName.set(method, [...this.of(method), entry])
    return () => {
      const left = this.of(method).filter((other) => other !== entry)
      if (left.length > 0) this.#byName.set(method, left)
      else this.#byName.delete(method)
    }
  }
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
