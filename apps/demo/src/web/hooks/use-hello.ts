import { useRpc, useRpcMethod, useRpcState } from '@flashrpc/react'
import { useEffect, useRef, useState } from 'react'
import { useSurface } from '../surfaces/surface.js'

/** What the server tells a page that says hello. */
export interface Welcome {
  /** This page's number on the server. */
  page: number
  /** The folder that is watched. */
  folder: string
  /** The command that asks the open pages, where there is one. */
  askCommand?: string | undefined
}

/** Tells the server, once in every session, that this is a page. @returns what it last answered. */
export function useHello(): Welcome | null {
  const rpc = useRpc()
  const { name } = useSurface()
  const sessionId = useRpcState((state) => state.sessionId)
  const isConnected = useRpcState((state) => state.status === 'connected')
  const [welcome, setWelcome] = useState<Welcome | null>(null)
  const page = useRef<number>(undefined)

  // biome-ignore lint/correctness/useExhaustiveDependencies: another session knows nothing of us yet
  useEffect(() => {
    if (!isConnected) return
    const leaving = new AbortController()
    rpc
      .hello({ name, page: page.current }, { signal: leaving.signal })
      .then((answer) => {
        page.current = answer.page
        setWelcome(answer)
      })
      // A connection that went meanwhile is followed by another, which says hello again.
      .catch(() => {})
    return () => leaving.abort()
  }, [rpc, isConnected, sessionId, name])

  useRpcMethod('watching', ({ folder }) => setWelcome((before) => before && { ...before, folder }))
  return welcome
}
