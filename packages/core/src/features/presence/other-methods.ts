import { Listeners } from '../../base/listeners.js'
import type { ChannelContext, MethodsThere } from '../../calls/channel-context.js'
import { hookContext } from '../../logging/error-context.js'

/** The methods of the other side that have a handler there now, as the other side tells. */
export class OtherMethods implements MethodsThere {
  readonly #host: Pick<ChannelContext, 'error'>
  #methods: ReadonlySet<string> | undefined
  /** Made for the first listener: most channels have none. */
  #listeners: Listeners<ReadonlySet<string>> | undefined

  constructor(host: Pick<ChannelContext, 'error'>) {
    this.#host = host
  }

  get all(): ReadonlySet<string> | undefined {
    return this.#methods
  }

  has(method: string): boolean | undefined {
    return this.#methods?.has(method)
  }

  listen(listener: (methods: ReadonlySet<string>) => void): () => void {
    this.#listeners ??= new Listeners((error) => this.#host.error(error, hookContext('onMethods')))
    return this.#listeners.add(listener)
  }

  /** The other side has sent the names of its methods. */
  set(names: readonly string[]): void {
    const methods = setOf(names)
    const before = this.#methods ?? NONE
    this.#methods = methods
    if (methods.size === before.size && [...methods].every((name) => before.has(name))) return
    this.#listeners?.tell(methods)
  }

  end(): void {
    if (this.#methods) this.set([])
    this.#listeners = undefined
  }
}

const NONE: ReadonlySet<string> = new Set()
/** The last set that was received, which is shared: the pages of an application have the same methods. */
let last = NONE

function setOf(names: readonly string[]): ReadonlySet<string> {
  if (names.length === 0) return NONE
  const methods = new Set(names)
  const isSame = methods.size === last.size && names.every((name) => last.has(name))
  if (!isSame) last = methods
  return last
}
