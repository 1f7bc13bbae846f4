import { useRpc, useRpcMethod, useRpcState } from '@flashrpc/react'
import { useEffect, useState } from 'react'
import type { Change, File } from '../../contract.js'

/** The folder's files, kept true by the changes the server tells. */
export interface Files {
  readonly files: readonly File[]
  /** Whether the folder has more files than are listed. */
  readonly more: boolean
}

/** @returns null until the server has listed them. */
export function useFiles(): Files | null {
  const rpc = useRpc()
  const sessionId = useRpcState((state) => state.sessionId)
  const isConnected = useRpcState((state) => state.status === 'connected')
  const [listed, setListed] = useState<Files | null>(null)
  const [folder, setFolder] = useState<string | null>(null)

  // biome-ignore lint/correctness/useExhaustiveDependencies: what changed while away, or in another folder, was told nobody
  useEffect(() => {
    if (!isConnected) return
    const leaving = new AbortController()
    rpc.listFiles(undefined, { signal: leaving.signal }).then(setListed, () => {})
    return () => leaving.abort()
  }, [rpc, isConnected, sessionId, folder])

  useRpcMethod('watching', (moved) => setFolder(moved.folder))
  useRpcMethod('notify', (change) => setListed((before) => before && withChange(before, change)))
  return listed
}

function withChange(listed: Files, { kind, path, bytes }: Change): Files {
  const others = listed.files.filter((file) => file.path !== path)
  if (kind === 'removed') return { ...listed, files: others }
  const changed = { path, bytes: bytes ?? 0 }
  // Where it was, or, new, in front: it is what the person is busy with.
  const at = listed.files.findIndex((file) => file.path === path)
  return { ...listed, files: others.toSpliced(Math.max(0, at), 0, changed) }
}
