import type { AnyClient } from '@flashrpc/core'
import { LeftOut } from '../message-reader.js'
import type { Row } from '../row.js'

/** @returns why a row can't be made again; undefined if it can. */
export function whyNotReplayed(row: Row): string | undefined {
  if (row.kind === 'protocol' || row.kind === 'unreadable') return 'Only calls can be made again'
  if (row.direction === 'in') return 'The server called: only it can call again'
  if (holdsLeftOut(row.params)) return 'Its params were too large to be kept'
  const { rpc } = (row.messages[0]?.message ?? {}) as { rpc?: { input?: unknown } }
  return rpc?.input === true ? 'What went along with it is not kept' : undefined
}

/**
 * Makes a call, a notification or a stream again, with the same params. It has rows of its own.
 *
 * @returns a function that stops it.
 */
export function replay(client: AnyClient, row: Row, ended: () => void): () => void {
  const controller = new AbortController()
  const { signal } = controller
  const { kind, method, params } = row
  const run = async () => {
    if (kind === 'notification') await client.notify(method, params, { signal })
    else if (kind === 'call') await client.call(method, params, { signal })
    else {
      // Each item must be taken, so that the next one comes.
      for await (const _ of client.stream(method as never, params as never, { signal } as never));
    }
  }
  // Its rows show the outcome.
  void run().then(ended, ended)
  return () => controller.abort()
}

function holdsLeftOut(value: unknown): boolean {
  if (value instanceof LeftOut) return true
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false
  return Object.values(value).some(holdsLeftOut)
}
