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
    const look = () => setNow(Date.now())
    const first = setTimeout(look)
    const timer = setInterval(look, everyMs)
    return () => {
      clearTimeout(first)
      clearInterval(timer)
    }
  }, [everyMs])
  return now
}
