import type { ReactElement } from 'react'

/** The mark of flashrpc, which only repeats what the text beside it says. */
export function Bolt(): ReactElement {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d="M13 2 4.6 12.6c-.4.5 0 1.2.6 1.2H11l-1 7.7c-.1.8.9 1.2 1.4.6L20 11.4c.4-.5 0-1.2-.6-1.2h-5.7l1-7.3c.1-.9-1-1.4-1.7-.9Z" />
    </svg>
  )
}
