import { guarded } from '../base/guarded.js'
import { RpcConfigError } from '../errors/errors.js'

/** How many clients come back in a second by default. */
const PER_SECOND = 300
/** The longest default window, in ms. */
const MAX_DEFAULT_MS = 30_000

/** The window over which clients reconnect that have lost their server together. The server sends it to its clients. */
export class Spread {
  readonly #of: (clients: number) => number

  /** @throws {RpcConfigError} if it is neither a number of ms nor a function. */
  constructor(spreadMs: number | ((clients: number) => number) | undefined) {
    if (spreadMs === undefined) {
      this.#of = (clients) => Math.min(MAX_DEFAULT_MS, (clients / PER_SECOND) * 1_000)
    } else if (typeof spreadMs === 'function') this.#of = spreadMs
    else if (isSpread(spreadMs)) this.#of = () => spreadMs
    else {
      throw new RpcConfigError(
        `spreadMs must be a number of ms, or a function that returns one. It is ${String(spreadMs)}`,
      )
    }
  }

  /**
   * The window in whole ms; 0 if the application's function fails.
   *
   * @param error called with the error of that function.
   */
  ms(clients: number, error: (thrown: unknown) => void): number {
    let ms = 0
    guarded(() => {
      const given: unknown = this.#of(clients)
      if (isSpread(given)) ms = Math.round(given)
      else
        error(
          new RpcConfigError(`spreadMs must return a number of ms. It returned ${typeof given}`),
        )
      return given
    }, error)
    return ms
  }
}

function isSpread(value: unknown): value is number {
  return Number.isFinite(value) && (value as number) >= 0
}
