import { useRpc } from '@flashrpc/react'
import { useEffect, useRef, useState } from 'react'
import type { FileHash } from '../../contract.js'

/** Where hashing a file stands. */
export type Hashing =
  | { status: 'idle' }
  | { status: 'pending'; path: string; since: number }
  | { status: 'done'; hash: FileHash }
  | { status: 'failed'; path: string; message: string }

/** Lets the server hash a file: one at a time, the newest wish counts. */
export function useFileHash(onHashed: () => void): {
  hashing: Hashing
  hash: (path: string) => void
  cancel: () => void
} {
  const rpc = useRpc()
  const [hashing, setHashing] = useState<Hashing>({ status: 'idle' })
  const current = useRef<AbortController | null>(null)
  useEffect(() => () => current.current?.abort(), [])

  const hash = (path: string): void => {
    current.current?.abort()
    const giveUp = new AbortController()
    current.current = giveUp
    const tell = (next: Hashing): void => {
      if (current.current === giveUp) setHashing(next)
    }
    tell({ status: 'pending', path, since: Date.now() })
    rpc
      // A large file may take minutes, and the person can see that it does.
      .hashFile({ path }, { signal: giveUp.signal, timeout: Number.POSITIVE_INFINITY })
      .then((result) => {
        tell({ status: 'done', hash: result })
        onHashed()
      })
      .catch((error: unknown) => {
        if (giveUp.signal.aborted) tell({ status: 'idle' })
        else tell({ status: 'failed', path, message: messageOf(error) })
      })
  }
  return { hashing, hash, cancel: () => current.current?.abort() }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
