import { createHash } from 'node:crypto'
import { RpcConfigError } from '../errors/errors.js'
import { networkOf } from './client-address.js'
import type { Owner } from './shares.js'
import { isLoopback } from './upgrade.js'

/** Finds the owner of a connection, for the limits that all clients share. */
export class Owners {
  readonly #ownerOf: ((identity: unknown) => string | undefined) | undefined
  readonly #countsLoopback: boolean
  readonly #failed: (thrown: unknown) => void

  /**
   * @param ownerOf the option `owner`.
   * @param countsLoopback whether a loopback address is a client's, and not that of a proxy with many clients.
   * @param failed called with the error of `ownerOf`.
   */
  constructor(
    ownerOf: ((identity: never) => string | undefined) | undefined,
    countsLoopback: boolean,
    failed: (thrown: unknown) => void,
  ) {
    this.#ownerOf = ownerOf as ((identity: unknown) => string | undefined) | undefined
    this.#countsLoopback = countsLoopback
    this.#failed = failed
  }

  /** @returns the owner by the address alone. */
  ofAddress(address: string | undefined): Owner {
    if (address === undefined || (!this.#countsLoopback && isLoopback(address))) return undefined
    return `address ${networkOf(address)}`
  }

  /** @returns the owner by the identity; if the identity has none, by the address. */
  of(identity: unknown, address: string | undefined): Owner {
    const name = this.#nameOf(identity)
    return name === undefined ? this.ofAddress(address) : `identity ${name}`
  }

  #nameOf(identity: unknown): string | undefined {
    if (!this.#ownerOf) return textOf(identity)
    try {
      const name: unknown = this.#ownerOf(identity)
      if (name === undefined || typeof name === 'string') return name
      const why = `owner must return text, or undefined. It returned ${typeof name}`
      this.#failed(new RpcConfigError(why))
    } catch (thrown) {
      this.#failed(thrown)
    }
    return undefined
  }
}

/** @returns a text that differs between identities; `undefined` if nothing of the identity can be read. */
function textOf(identity: unknown): string | undefined {
  try {
    const text = JSON.stringify(identity)
    if (text === undefined || text === 'null' || text === '{}' || text === '[]') return undefined
    // A hash, because the text may be long and is kept for each connection.
    return createHash('sha256').update(text).digest('base64url')
  } catch {
    return undefined
  }
}
