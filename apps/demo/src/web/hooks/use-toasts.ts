import { useRpcMethod } from '@flashrpc/react'
import { useRef, useState } from 'react'

/** A word of the server's, until the person puts it away. */
export interface ToastEntry {
  readonly id: number
  readonly text: string
  readonly at: number
  readonly isRead: boolean
}

/** So many are kept, the newest. */
const MOST = 50

/** What the server has sent, the newest first. */
export function useToasts(): {
  toasts: readonly ToastEntry[]
  markRead: () => void
  dismiss: (id?: number) => void
} {
  const [toasts, setToasts] = useState<readonly ToastEntry[]>([])
  const lastId = useRef(0)
  useRpcMethod('toast', ({ text, at }) => {
    const id = ++lastId.current
    setToasts((before) => [{ id, text, at, isRead: false }, ...before].slice(0, MOST))
  })
  return {
    toasts,
    markRead: () => setToasts((all) => all.map((one) => ({ ...one, isRead: true }))),
    dismiss: (id) => setToasts((all) => (id ? all.filter((one) => one.id !== id) : [])),
  }
}
