import { useRpcState } from '@flashrpc/react'
import type { ReactElement } from 'react'

/** Shows how the connection stands: what a test waits for. */
export function Status(): ReactElement {
  return <output>{useRpcState((state) => state.status)}</output>
}
