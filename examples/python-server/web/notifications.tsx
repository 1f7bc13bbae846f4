import { type ReactElement, useState } from 'react'
import { useRpcMethod } from './hooks.js'

/** What the backend told, the newest last. */
export function Notifications(): ReactElement {
  const [told, setTold] = useState<string[]>([])
  useRpcMethod('notify', ({ text }) => setTold((earlier) => [...earlier, text]))
  return (
    <ol role="log">
      {told.map((text, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the list only grows
        <li key={index}>{text}</li>
      ))}
    </ol>
  )
}
