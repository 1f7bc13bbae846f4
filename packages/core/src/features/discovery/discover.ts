import type { Discovery } from '../../calls/discovery.js'
import { toldError } from '../../calls/refusals.js'
import { relayedError } from '../../calls/relayed-error.js'
import { ErrorCode, RpcConfigError, RpcError, RpcOverloadedError } from '../../errors/errors.js'

/** The request that asks a side what it can be called for (docs/protocol.md, "Discovery"). */
export const DISCOVER = 'rpc.discover'

/**
 * @returns the names that may be called.
 * @param mayCall may refuse as a handler does, by an `RpcError`.
 * @throws whatever else it throws.
 */
export async function callableNames(
  names: Iterable<string>,
  mayCall: (name: string) => boolean | Promise<boolean>,
): Promise<string[]> {
  const verdicts = [...names].map(async (name) => ((await allows(mayCall, name)) ? [name] : []))
  return (await Promise.all(verdicts)).flat()
}

async function allows(
  mayCall: (name: string) => boolean | Promise<boolean>,
  name: string,
): Promise<boolean> {
  try {
    return await mayCall(name)
  } catch (thrown) {
    if (toldError(thrown)) return false
    throw thrown
  }
}

/** What a side answers that tells nothing of its methods. */
export function undiscoverable(): RpcError {
  const why = 'this side does not tell what it can be called for, unless its option discover is set'
  return new RpcError(ErrorCode.methodNotFound, `Method not found: "${DISCOVER}": ${why}`)
}

/** How many times a caller may ask at once, and how many ms it must wait before it may ask once more. */
const AT_ONCE = 20
const EVERY_MS = 1_000

/**
 * Limits how often one caller may ask: a short question has a long answer, for which `authorize` is asked about each
 * method.
 */
export class DiscoveryRate {
  #left = AT_ONCE
  #countedAt = performance.now()

  /** @throws {RpcError} if the caller has asked too often; the caller learns that the call has not run. */
  take(): void {
    const now = performance.now()
    this.#left = Math.min(AT_ONCE, this.#left + (now - this.#countedAt) / EVERY_MS)
    this.#countedAt = now
    if (this.#left >= 1) this.#left -= 1
    else throw relayedError(tooOften())
  }
}

function tooOften(): RpcError {
  return new RpcOverloadedError(
    `"${DISCOVER}" was not run: this caller may ask ${AT_ONCE} times at once, and then once in ${EVERY_MS} ms`,
    { method: DISCOVER, outcome: 'not-received' },
  )
}

/** @throws {RpcConfigError} where the option is not what answers. */
export function assertDiscovery(discover: Discovery | undefined): void {
  if (discover === undefined || typeof discover === 'function') return
  throw new RpcConfigError(
    'discover must be what createDiscovery() of @flashrpc/core/discovery returns',
  )
}
