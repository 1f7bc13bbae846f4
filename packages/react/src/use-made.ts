import { RpcConfigError } from '@flashrpc/core'
import { useInsertionEffect, useState } from 'react'
import { isSameValue } from './same-value.js'

/**
 * Returns what `make` made of some values, and makes it anew when a value changes. It is state and not a memo, because
 * React empties memos when a component is edited while it is shown, and what runs must go on then.
 *
 * @param what the name of the hook, for the text of the error.
 * @throws {RpcConfigError} if the values change at every render: a new instance of a class each time.
 */
export function useMade<T, Of extends readonly unknown[]>(
  what: string,
  make: (...of: Of) => T,
  of: Of,
): T {
  const [made, remake] = useState(() => new Made(make(...of), of))
  useInsertionEffect(() => made.rendered())
  if (isSameValue(made.of, of)) return made.value
  if (made.isEndless) {
    throw new RpcConfigError(
      `${what} is given other params each time it renders. An instance of a class is the same only as itself: keep it, with useMemo for one, or pass plain data`,
    )
  }
  // React renders the component again at once, with the new state (react.dev, "Storing information from previous
  // renders").
  const next = new Made(make(...of), of, made)
  remake(next)
  return next.value
}

/** How often it may be made anew within one render. React itself throws after 25 times. */
const MOST_TURNS = 20

class Made<T, Of> {
  readonly value: T
  readonly of: Of
  #turns: number

  /** @param before the one that it replaces within the same render. */
  constructor(value: T, of: Of, before?: Made<T, Of>) {
    this.value = value
    this.of = of
    this.#turns = before ? before.#turns + 1 : 0
  }

  get isEndless(): boolean {
    return this.#turns > MOST_TURNS
  }

  /** The render in which it was made has ended. */
  rendered(): void {
    this.#turns = 0
  }
}
