import { useEffect, useState } from 'react'

/**
 * The time, in ms since the epoch; renders again each time it has moved on so far.
 *
 * @param everyMs null: it stands still.
 */
export function useNow(everyMs: number | null): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (everyMs === null) return
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}
