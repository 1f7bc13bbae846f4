import { useState } from 'react'
import { useNow } from '../hooks/use-now.js'

const RADIUS = 6
const LENGTH = 2 * Math.PI * RADIUS

/** Seconds until a time, and a ring that empties until then. Another time is another countdown. */
export function Countdown({ to }: { to: number }) {
  const [from] = useState(Date.now)
  const now = useNow(100)
  const leftMs = Math.max(0, to - now)
  const share = to > from ? leftMs / (to - from) : 0
  return (
    <span className="countdown">
      <time data-left-ms={Math.round(leftMs)}>{(leftMs / 1_000).toFixed(1)} s</time>
      <svg viewBox="0 0 16 16" aria-hidden="true" focusable="false">
        <circle cx="8" cy="8" r={RADIUS} className="countdown-track" />
        <circle
          cx="8"
          cy="8"
          r={RADIUS}
          className="countdown-left"
          strokeDasharray={LENGTH}
          strokeDashoffset={LENGTH * (1 - share)}
        />
      </svg>
    </span>
  )
}
