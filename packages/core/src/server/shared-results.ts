import { ErrorCode, RpcError } from '../errors/errors.js'
import { randomHex } from '../wire/random-hex.js'
import type { BegunCall } from './result-store.js'

/** A value of a key, and which of its versions it is. */
export interface SharedValue {
  readonly value: string
  /** Another one after each change. */
  readonly revision: string
}

/** Keys that several processes share, such as those of a database. Each change is atomic. */
export interface SharedKeys {
  /**
   * Sets a key, if it is not there, or its revision is the expected one.
   *
   * @returns the new revision; or what is there instead.
   */
  put(
    key: string,
    value: string,
    expected: string | undefined,
  ): Promise<{ readonly revision: string } | { readonly found: SharedValue }>
  /** Removes a key, if its revision is the expected one. */
  remove(key: string, expected: string): Promise<void>
  /** Whether the process with this name still runs. */
  isAlive(owner: string): Promise<boolean>
}

/**
 * The value of a key, as JSON in the store.
 */
interface Kept {
  /** The fingerprint of the call. */
  readonly f: string
  /** The process that began it (its owner). */
  readonly o: string
  /** The run that it began in. */
  readonly r: string
  /** The node of its process, in a cluster. */
  readonly n?: string
  /** The answer, once there is one. */
  readonly a?: string
}

interface Begun {
  readonly run: string
  readonly fingerprint: string
  readonly revision: string
}

/** The part of a ResultStore that is the same over all stores that several processes share. */
export class SharedResults {
  readonly #keys: SharedKeys
  readonly #owner: string
  /** Calls that began here, by key, until their answer is kept. */
  readonly #begun = new Map<string, Begun>()
  /** The runs that go on here, or are about to begin. */
  readonly #runs = new Set<string>()

  /** @param owner the name of this process, which no other has. */
  constructor(keys: SharedKeys, owner: string) {
    this.#keys = keys
    this.#owner = owner
  }

  async begin(key: string, fingerprint: string, node: string | undefined): Promise<BegunCall> {
    const run = randomHex(16)
    this.#runs.add(run)
    try {
      const begun = await this.#begin(key, fingerprint, run, node)
      if (begun.state !== 'new') this.#runs.delete(run)
      return begun
    } catch (error) {
      // It may be recorded all the same. The next call with the key finds that no process runs it.
      this.#runs.delete(run)
      throw error
    }
  }

  async finish(key: string, answer: string): Promise<void> {
    const begun = this.#begun.get(key)
    if (!begun) return
    const value = this.#value({ f: begun.fingerprint, r: begun.run, a: answer })
    const put = await this.#keys.put(key, value, begun.revision)
    // An earlier attempt may have succeeded although it seemed to fail.
    if ('found' in put && put.found.value !== value) {
      throw new Error('Another process has changed this key meanwhile')
    }
    this.#ended(key, begun)
  }

  async release(key: string): Promise<void> {
    const begun = this.#begun.get(key)
    if (!begun) return
    // If it can't be removed, the next call with the key finds that no process runs it.
    this.#ended(key, begun)
    await this.#keys.remove(key, begun.revision)
  }

  async #begin(
    key: string,
    fingerprint: string,
    run: string,
    node: string | undefined,
  ): Promise<BegunCall> {
    const value = this.#value({ f: fingerprint, r: run, ...(node && { n: node }) })
    let expected: string | undefined
    for (;;) {
      const put = await this.#keys.put(key, value, expected)
      if ('revision' in put) {
        this.#begun.set(key, { run, fingerprint, revision: put.revision })
        return { state: 'new' }
      }
      const { f, o, r, n, a } = read(put.found.value)
      if (a !== undefined) return { state: 'done', fingerprint: f, answer: a }
      if (o === this.#owner ? this.#runs.has(r) : await this.#keys.isAlive(o)) {
        return { state: 'running', fingerprint: f, ...(n && { node: n }) }
      }
      if (o !== this.#owner) return { state: 'unknown', fingerprint: f }
      // It was recorded here, but its call was told that it was not, and did not run.
      expected = put.found.revision
    }
  }

  #ended(key: string, { run }: Begun): void {
    this.#begun.delete(key)
    this.#runs.delete(run)
  }

  #value(kept: Omit<Kept, 'o'>): string {
    return JSON.stringify({ ...kept, o: this.#owner } satisfies Kept)
  }
}

function read(value: string): Kept {
  try {
    const { f, o, r, n, a } = JSON.parse(value) as Partial<Record<keyof Kept, unknown>>
    if (typeof f === 'string' && typeof o === 'string' && typeof r === 'string') {
      if (a === undefined) return typeof n === 'string' ? { f, o, r, n } : { f, o, r }
      if (typeof a === 'string') return { f, o, r, a }
    }
  } catch {}
  throw new RpcError(
    ErrorCode.internal,
    'The store of results has a value of another program under this key. Give each program a store of its own',
  )
}
