'use client'

import { RpcDevtools } from '@flashrpc/react/devtools'
import type { ReactNode } from 'react'
import { RpcProvider } from './rpc.ts'

/** Connects the page. A contract has functions, so a server component can't pass it on: rpc.ts imports it. */
export function Providers({ url, children }: { url: string; children: ReactNode }) {
  return (
    <RpcProvider url={url}>
      {children}
      {process.env.NODE_ENV === 'development' && <RpcDevtools />}
    </RpcProvider>
  )
}
