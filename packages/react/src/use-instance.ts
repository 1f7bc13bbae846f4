import { RpcConfigError } from '@flashrpc/core'
import { useInsertionEffect, useState } from 'react'
import { isSameValue } from './same-value.js'

/**
 * Returns an instance that `make` has made of some values, and makes another one when a value changes. It is state
 * and not a memo: React empties memos when a component is edited while it is shown, and the instance must go on then.
 *
 * @param what the name of the hook, for the text of the error.
 * @throws {RpcConfigError} if the values change at every render: a new instance of a class each time.
 */
export function useInstance<T, Of extends readonly unknown[]>(
  what: string,
  make: (...of: Of) => T,
  of: Of,
): T {
  const [made, remake] = useState(() => new Instance(make(...of), of))
  useInsertionEffect(() => made.rendered())
  if (isSameValue(made.of, of)) return made.value
  if (made.isEndless) {
    throw new RpcConfigError(
      `${what} is given other params each time it renders. An instance of a class is the same only as itself: keep it, with useMemo for one, or pass plain data`,
    )
  }
  // React renders the component again at once, with the new state (react.dev, "Storing information from previous
  // renders").
  const next = new Instance(make(...of), of, made)
  remake(next)
  return next.value
}

/** How often the instance may be replaced within one render. React itself throws after 25 times. */
const MAX_TURNS = 20

class Instance<T, Of> {
  readonly value: T
  readonly of: Of
  #turns: number

  /** @param before the one that it replaces within the same render. */
  constructor(value: T, of: Of, before?: Instance<T, Of>) {
    this.value = value
    this.of = of
    this.#turns = before ? before.#turns + 1 : 0
  }

  get isEndless(): boolean {
    return this.#turns > MAX_TURNS
  }

  /** The render in which it was made has ended. */
  rendered(): void {
    this.#turns = 0
  }
}
