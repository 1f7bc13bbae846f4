import type { Discovery } from '../../calls/discovery.js'
import { errorForCaller } from '../../calls/refusals.js'
import { relayedError } from '../../calls/relayed-error.js'
import { ErrorCode, RpcConfigError, RpcError, RpcOverloadedError } from '../../errors/errors.js'

/** The request for the methods that can be called on a side (docs/protocol.md, "Discovery"). */
export const DISCOVER = 'rpc.discover'

/**
 * @returns the names that may be called.
 * @param mayCall may refuse with an `RpcError`, as a handler does.
 * @throws any other error that `mayCall` throws.
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
    if (errorForCaller(thrown)) return false
    throw thrown
  }
}

/** The error answer of a side that does not list its methods. */
export function undiscoverable(): RpcError {
  const why = 'this side does not tell what it can be called for, unless its option discover is set'
  return new RpcError(ErrorCode.methodNotFound, `Method not found: "${DISCOVER}": ${why}`)
}

/** How many times a caller may send the request at once, and how many ms it must wait before it may send another. */
const AT_ONCE = 20
const EVERY_MS = 1_000

/**
 * Limits how often one caller may send the request: it is short, but has a long answer, for which `authorize` is called
 * for each method.
 */
export class DiscoveryRate {
  #left = AT_ONCE
  #countedAt = performance.now()

  /**
   * @throws {RpcError} if the caller has sent the request too often; the error tells the caller that it was not run.
   */
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

/** @throws {RpcConfigError} if the option is not a function that answers the request. */
export function assertDiscovery(discover: Discovery | undefined): void {
  if (discover === undefined || typeof discover === 'function') return
  throw new RpcConfigError(
    'discover must be what createDiscovery() of @flashrpc/core/discovery returns',
  )
}
