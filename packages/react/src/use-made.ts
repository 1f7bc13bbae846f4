import { RpcConfigError } from '@flashrpc/core'
import { useInsertionEffect, useState } from 'react'
import { isSameValue } from './same-value.js'

/**
 * What was made of some values, for as long as those say the same. It is state, not a memo: what runs in it goes on when
 * the component is edited while it is shown, which empties memos.
 *
 * @param what it is for, as an error names it.
 * @throws {RpcConfigError} where the values never say the same: a new instance of a class at each render.
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
  // React renders the component again, at once, with what is made here (react.dev, "Storing information from previous renders").
  const next = new Made(make(...of), of, made)
  remake(next)
  return next.value
}

/** How often it is made anew within one render; React itself ends such a render after 25 times. */
const MOST_TURNS = 20

class Made<T, Of> {
  readonly value: T
  readonly of: Of
  #turns: number

  /** @param before what it takes the place of, within the same render. */
  constructor(value: T, of: Of, before?: Made<T, Of>) {
    this.value = value
    this.of = of
    this.#turns = before ? before.#turns + 1 : 0
  }

  get isEndless(): boolean {
    return this.#turns > MOST_TURNS
  }

  /** The render that it was made in is over. */
  rendered(): void {
    this.#turns = 0
  }
}
