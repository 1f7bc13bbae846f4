import { Listeners } from '../../base/listeners.js'
import { type ErrorContext, hookContext } from '../../logging/error-context.js'

/** Whose other side it is. */
interface OtherMethodsHost {
  error(error: unknown, context: ErrorContext): void
}

/** Which methods of the other side have a handler there now, as it says. */
export class OtherMethods {
  readonly #host: OtherMethodsHost
  #methods: ReadonlySet<string> | undefined
  /** Made for the first one: most channels have none. */
  #listeners: Listeners<ReadonlySet<string>> | undefined

  constructor(host: OtherMethodsHost) {
    this.#host = host
  }

  /** @returns undefined where the other side does not say. */
  has(method: string): boolean | undefined {
    return this.#methods?.has(method)
  }

  /** Tells of each change. @returns ends that. */
  listen(listener: (methods: ReadonlySet<string>) => void): () => void {
    this.#listeners ??= new Listeners((error) => this.#host.error(error, hookContext('onMethods')))
    return this.#listeners.add(listener)
  }

  /** The other side has said which. */
  said(names: readonly string[]): void {
    const methods = setOf(names)
    const before = this.#methods ?? NONE
    this.#methods = methods
    if (methods.size === before.size && [...methods].every((name) => before.has(name))) return
    this.#listeners?.tell(methods)
  }

  /** Nobody is there any more. */
  end(): void {
    if (this.#methods) this.said([])
    this.#listeners = undefined
  }
}

const NONE: ReadonlySet<string> = new Set()
/** What was said last: the pages of an application have the same. */
let last = NONE

function setOf(names: readonly string[]): ReadonlySet<string> {
  if (names.length === 0) return NONE
  const methods = new Set(names)
  const isSame = methods.size === last.size && names.every((name) => last.has(name))
  if (!isSame) last = methods
  return last
}
