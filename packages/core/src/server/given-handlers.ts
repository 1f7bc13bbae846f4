import type { ChannelKind } from '../channels/channel-kind.js'
import { RpcConfigError } from '../errors/errors.js'
import { kindOf } from '../errors/options.js'

/** The arguments of `implement`: handlers, or a path and the handlers at it. */
export type ImplementArguments = [methods: unknown] | [path: string, methods: unknown]

/** How errors name a server, and when it begins to serve. */
export interface ServerWords {
  /** What it is, such as `endpoint`. */
  readonly made: string
  /** What `implement` must come before, such as `listen and attach`. */
  readonly before: string
}

/** The names of the methods that an error lists. */
const MOST_NAMES = 10

/** The handlers of a server: those of its options, and those that `implement` is given before it serves. */
export class GivenHandlers {
  readonly #kind: ChannelKind
  readonly #mayBeNone: boolean
  readonly #words: ServerWords
  #isServing = false

  /** @param mayBeNone whether the options have handlers, so that methods without a handler are meant to have none. */
  constructor(kind: ChannelKind, mayBeNone: boolean, words: ServerWords) {
    this.#kind = kind
    this.#mayBeNone = mayBeNone
    this.#words = words
  }

  /** The server begins to serve: it takes no more handlers. */
  begin(): void {
    this.#isServing = true
  }

  /** @throws {RpcConfigError} if the server serves already, or a handler is wrong. */
  implement(...args: ImplementArguments): void {
    const { made, before } = this.#words
    if (this.#isServing) {
      throw new RpcConfigError(`The ${made} serves already: call implement before ${before}`)
    }
    const [path] = args
    if (args.length > 1) return this.#kind.implement({ [String(path)]: args[1] })
    if (typeof path !== 'object' || path === null) {
      throw new RpcConfigError(
        `implement needs an object of functions, or a path and its handlers. It was given ${kindOf(path)}`,
      )
    }
    this.#kind.implement(path)
  }

  /** Why the server can't serve yet: there are no `methods`, and `implement` was not given all handlers. */
  get lack(): RpcConfigError | undefined {
    if (this.#mayBeNone) return undefined
    const { missing } = this.#kind
    if (missing?.length === 0) return undefined
    const count = (missing?.length ?? 0) - MOST_NAMES
    const more = count > 0 ? ` and ${count} more` : ''
    const what = missing
      ? `no handler for ${missing.slice(0, MOST_NAMES).join(', ')}${more}`
      : 'no methods: methods is missing'
    return new RpcConfigError(
      `The ${this.#words.made} has ${what}. Give it the option methods, or call its implement({ … }) first`,
    )
  }
}
