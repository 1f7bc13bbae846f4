import { createHash } from 'node:crypto'
import type { SharedKeys, SharedValue } from '@flashrpc/core/internal'
import type { KV } from '@nats-io/kv'

/** The error code of JetStream if a key has another revision than was expected. */
const WRONG_REVISION = new Set([10_071, 10_164])

/** Keys of a bucket of JetStream, and the processes that have a key in another, which they put there again and again. */
export class BucketKeys implements SharedKeys {
  readonly #bucket: KV
  readonly #isAlive: (owner: string) => Promise<boolean>

  constructor(bucket: KV, isAlive: (owner: string) => Promise<boolean>) {
    this.#bucket = bucket
    this.#isAlive = isAlive
  }

  async put(
    key: string,
    value: string,
    expected: string | undefined,
  ): Promise<{ revision: string } | { found: SharedValue }> {
    const name = nameOf(key)
    let previousSeq = Number(expected ?? 0)
    for (;;) {
      try {
        return { revision: String(await this.#bucket.put(name, value, { previousSeq })) }
      } catch (error) {
        if (!isWrongRevision(error)) throw error
      }
      // The bucket was opened so that its leader answers, and not a replica that may be late.
      const entry = await this.#bucket.get(name)
      if (entry?.operation === 'PUT') {
        return { found: { value: entry.string(), revision: String(entry.revision) } }
      }
      // It is not there, or was removed.
      previousSeq = entry?.revision ?? 0
    }
  }

  async remove(key: string, expected: string): Promise<void> {
    try {
      await this.#bucket.delete(nameOf(key), { previousSeq: Number(expected) })
    } catch (error) {
      if (!isWrongRevision(error)) throw error
    }
  }

  isAlive(owner: string): Promise<boolean> {
    return this.#isAlive(owner)
  }
}

function isWrongRevision(error: unknown): boolean {
  return error instanceof Error && WRONG_REVISION.has(Number((error as { code?: number }).code))
}

/** A key as JetStream takes it, whichever characters it has. */
function nameOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url')
}
