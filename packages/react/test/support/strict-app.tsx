import { RpcProvider } from '@flashrpc/react'
import { type ReactElement, type ReactNode, StrictMode } from 'react'
import { contract } from '../../../../scripts/test-server/contract.js'
import { Status } from './status.js'

/** Components under StrictMode, connected to a server. */
export function StrictApp({
  url,
  waitForMount = 0,
  children,
}: {
  url: string
  waitForMount?: number
  children?: ReactNode
}): ReactElement {
  return (
    <StrictMode>
      <RpcProvider url={url} contract={contract} waitForMount={waitForMount}>
        <Status />
        {children}
      </RpcProvider>
    </StrictMode>
  )
}
