import { useState } from 'react'
import { useRpcStream } from './hooks.ts'

export function Clock() {
  const [isOn, setOn] = useState(false)
  const { latest } = useRpcStream('clock', undefined, { enabled: isOn, keep: 0 })
  return (
    <p>
      <button type="button" onClick={() => setOn(!isOn)}>
        {isOn ? 'Stop the clock' : 'Start the clock'}
      </button>{' '}
      <output>{latest}</output>
    </p>
  )
}
