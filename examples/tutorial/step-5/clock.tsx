import { useState } from 'react'
import { useRpcStream } from './hooks.ts'

export function Clock() {
  const [isOn, setOn] = useState(false)
  const { latest, error } = useRpcStream('clock', undefined, { enabled: isOn, keep: 0 })
  return (
    <p>
      <button type="button" onClick={() => setOn(!isOn)}>
        {isOn ? 'Stop the clock' : 'Start the clock'}
      </button>{' '}
      <output>{latest}</output>
      {error && <span role="alert">{error.message}</span>}
    </p>
  )
}
