import { fromReconnectingWebSocket } from '@flashrpc/core/reconnecting-websocket'
import { RpcProvider } from '@flashrpc/react'
import { type ReactNode, useState } from 'react'
import ReconnectingWebSocket from 'reconnecting-websocket'
import { contract } from '../../contract.js'
import { RETRY } from '../lib/retry.js'
import { readSocketChoice, type SocketChoice, writeSocketChoice } from '../lib/socket-choice.js'
import { SocketChoiceContext } from './socket-switch.js'

let reconnecting: ReconnectingWebSocket | undefined

/** The page's ReconnectingWebSocket. It is opened, and closed, by the client that it is handed over to. */
function handedSocket(url: string) {
  reconnecting ??= new ReconnectingWebSocket(url, [], {
    startClosed: true,
    minReconnectionDelay: RETRY.minDelayMs,
    maxReconnectionDelay: RETRY.maxDelayMs,
  })
  return fromReconnectingWebSocket(reconnecting)
}

/** Connects a browser's page: by the client itself, or by a ReconnectingWebSocket, as the person chooses. */
export function BrowserConnection({ url, children }: { url: string; children: ReactNode }) {
  const [choice, setChoice] = useState(readSocketChoice)
  const choose = (chosen: SocketChoice) => {
    writeSocketChoice(chosen)
    setChoice(chosen)
  }
  const target =
    choice === 'reconnecting-websocket' ? { socket: handedSocket(url) } : { url, retry: RETRY }
  return (
    <SocketChoiceContext value={{ choice, choose }}>
      <RpcProvider {...target} contract={contract}>
        {children}
      </RpcProvider>
    </SocketChoiceContext>
  )
}
