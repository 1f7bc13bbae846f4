/** What a page is connected by: the client's own socket, or one of `reconnecting-websocket`. */
export type SocketChoice = 'own' | 'reconnecting-websocket'

/** Of the page's address. */
const PARAMETER = 'socket'

export function readSocketChoice(): SocketChoice {
  const chosen = new URLSearchParams(window.location.search).get(PARAMETER)
  return chosen === 'reconnecting-websocket' ? chosen : 'own'
}

/** Keeps the choice in the page's address, for when it is loaded again. */
export function writeSocketChoice(choice: SocketChoice): void {
  const address = new URL(window.location.href)
  if (choice === 'own') address.searchParams.delete(PARAMETER)
  else address.searchParams.set(PARAMETER, choice)
  window.history.replaceState(null, '', address)
}
