import { useRpcState } from '@flashrpc/react'
import { useEffect, useInsertionEffect, useRef } from 'react'

/** Tells, each time the connection comes back, how long it was away, in ms. */
export function useOutage(onBack: (awayMs: number) => void): void {
  const status = useRpcState((state) => state.status)
  const newest = useRef(onBack)
  useInsertionEffect(() => {
    newest.current = onBack
  })
  const wasConnected = useRef(false)
  const lostAt = useRef<number | null>(null)
  useEffect(() => {
    if (status !== 'connected') {
      if (wasConnected.current) lostAt.current ??= performance.now()
      return
    }
    wasConnected.current = true
    if (lostAt.current === null) return
    const awayMs = performance.now() - lostAt.current
    lostAt.current = null
    newest.current(awayMs)
  }, [status])
}
