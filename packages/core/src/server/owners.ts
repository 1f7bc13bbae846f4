import { createHash } from 'node:crypto'
import { describeThrown, RpcConfigError } from '../errors.js'
import { networkOf } from './client-address.js'
import type { Owner } from './shares.js'
import { isLoopback } from './upgrade.js'

/** Says whose a connection is, for what all clients share. */
export class Owners {
  readonly #ownerOf: ((identity: unknown) => string | undefined) | undefined
  readonly #countsLoopback: boolean
  readonly #failed: (why: string) => void

  /**
   * @param ownerOf the user's own rule.
   * @param countsLoopback whether a loopback address is a client's, and not that of a proxy which many come by.
   * @param failed is told how the user's rule failed.
   * @throws {RpcConfigError} where the rule is no function.
   */
  constructor(
    ownerOf: ((identity: never) => string | undefined) | undefined,
    countsLoopback: boolean,
    failed: (why: string) => void,
  ) {
    if (ownerOf !== undefined && typeof ownerOf !== 'function') {
      throw new RpcConfigError(
        `owner must be a function of an identity; it is of type ${typeof ownerOf}`,
      )
    }
    this.#ownerOf = ownerOf as ((identity: unknown) => string | undefined) | undefined
    this.#countsLoopback = countsLoopback
    this.#failed = failed
  }

  /** The owner by its address alone. */
  ofAddress(address: string | undefined): Owner {
    if (address === undefined || (!this.#countsLoopback && isLoopback(address))) return undefined
    return `address ${networkOf(address)}`
  }

  /** The owner by its identity, and by its address where that says nothing. */
  of(identity: unknown, address: string | undefined): Owner {
    const name = this.#nameOf(identity)
    return name === undefined ? this.ofAddress(address) : `identity ${name}`
  }

  #nameOf(identity: unknown): string | undefined {
    if (!this.#ownerOf) return textOf(identity)
    try {
      const name: unknown = this.#ownerOf(identity)
      if (name === undefined || typeof name === 'string') return name
      this.#failed(`it must return text, or undefined; it returned ${typeof name}`)
    } catch (thrown) {
      this.#failed(describeThrown(thrown))
    }
    return undefined
  }
}

/** @returns what tells an identity from others; `undefined` where nothing of it can be seen. */
function textOf(identity: unknown): string | undefined {
  try {
    const text = JSON.stringify(identity)
    if (text === undefined || text === 'null' || text === '{}' || text === '[]') return undefined
    // It may be long, and is kept as often as it is counted.
    return createHash('sha256').update(text).digest('base64url')
  } catch {
    return undefined
  }
}
