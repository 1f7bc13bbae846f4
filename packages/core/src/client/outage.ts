import { formatAgo } from '../base/duration.js'
import { Elapsed } from '../base/elapsed.js'
import type { Absence } from '../calls/absence.js'

import { type Failure, remedyOf, withRemedy } from './dial/failure.js'
import type { ClientState, ClientStatus } from './state.js'

/** The facts of a client's time without a connection, for messages. */
export class Outage {
  /** The address, without secrets, if there is only one. */
  readonly #address: string | undefined
  /** When the last connection ended, and why; undefined if there never was one. */
  #lost: { readonly since: Elapsed; readonly why: string } | undefined
  /** Why the last attempt since then failed. */
  #failure: Failure | undefined

  constructor(address: string | undefined) {
    this.#address = address
  }

  connected(): void {
    this.#lost = undefined
    this.#failure = undefined
  }

  /** @param isLoss whether a connection has ended; otherwise an attempt has failed. */
  failed(failure: Failure, isLoss: boolean): void {
    if (isLoss) this.#lost = { since: new Elapsed(), why: failure.message }
    this.#failure = isLoss ? undefined : failure
  }

  /** @returns why a call has no answer yet, for the error of a call that waits no longer. */
  describe({ status, lastError }: ClientState): Absence | undefined {
    if (status === 'connected') return undefined
    const remedy = status === 'offline' ? OFFLINE : this.#remedy
    const text = withRemedy(this.#text(status), remedy)
    return { text, isFirst: this.#lost === undefined, cause: lastError ?? undefined }
  }

  get #remedy(): string | undefined {
    return this.#failure ? remedyOf(this.#failure) : undefined
  }

  #text(status: ClientStatus): string {
    const lost = this.#lost
    const failed = this.#failure && shortly(this.#failure)
    if (lost) {
      const since = `${lost.why} ${formatAgo(lost.since.most)}`
      return failed === undefined ? since : `${since}, and the last attempt failed (${failed})`
    }
    if (failed !== undefined) return `never connected (${failed})`
    if (status === 'idle') return 'never connected: call connect(), as autoConnect is false'
    return `never connected: the first attempt goes on${this.#address === undefined ? '' : ` (${this.#address})`}`
  }
}

const OFFLINE = 'The browser says that there is no network'

/** @returns a short text of a failure, with the address. */
function shortly({ where, message, isAddressed }: Failure): string {
  return where === undefined || isAddressed ? message : `${where}: ${message}`
}
