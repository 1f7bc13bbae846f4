'use client'

import { useRpcState } from '@flashrpc/react'

export function Status() {
  return <output>{useRpcState(({ status }) => status)}</output>
}
