import { useState } from 'react'
import { useRpcMethod } from './hooks.ts'

export function Toasts() {
  const [toasts, setToasts] = useState<{ id: string; text: string }[]>([])
  useRpcMethod('notify', ({ text }) => {
    setToasts((earlier) => [...earlier, { id: crypto.randomUUID(), text }])
  })
  return (
    <ul aria-label="News" aria-live="polite">
      {toasts.map(({ id, text }) => (
        <li key={id}>{text}</li>
      ))}
    </ul>
  )
}
