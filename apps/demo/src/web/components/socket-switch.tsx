import { createContext, useContext } from 'react'
import type { SocketChoice } from '../lib/socket-choice.js'

/** What a page is connected by, and how to choose; null where there is no choice. */
export const SocketChoiceContext = createContext<{
  readonly choice: SocketChoice
  choose(choice: SocketChoice): void
} | null>(null)

/** Has the page connect by a ReconnectingWebSocket in place of the client's own socket, or not any more. */
export function SocketSwitch() {
  const socket = useContext(SocketChoiceContext)
  if (!socket) return null
  const { choice, choose } = socket
  return (
    <label className="socket-switch">
      <input
        type="checkbox"
        checked={choice === 'reconnecting-websocket'}
        onChange={({ target }) => choose(target.checked ? 'reconnecting-websocket' : 'own')}
      />
      Connect through a ReconnectingWebSocket
    </label>
  )
}
