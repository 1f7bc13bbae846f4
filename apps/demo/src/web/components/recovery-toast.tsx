import { useEffect, useState } from 'react'
import { useOutage } from '../hooks/use-outage.js'
import { formatDuration } from '../lib/format.js'
import { Toast } from './toast.js'

/** How long it is shown, in ms. */
const SHOWN_MS = 8_000

/** Says for a moment that the connection is back, and how long it was away. */
export function RecoveryToast({ onBack }: { onBack: () => void }) {
  const [awayMs, setAwayMs] = useState<number | null>(null)
  useOutage((ms) => {
    setAwayMs(ms)
    onBack()
  })
  useEffect(() => {
    if (awayMs === null) return
    const timer = setTimeout(() => setAwayMs(null), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [awayMs])
  if (awayMs === null) return null
  return (
    <Toast
      icon="check"
      title={`Back again after ${formatDuration(awayMs)}`}
      text="Nothing to reload: calls and notifications flow again."
    />
  )
}
