'use client'

import { RpcProvider } from '@flashrpc/react'
import { retryRpc } from '@flashrpc/react/query'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { contract } from '../contract'

declare module '@flashrpc/react' {
  interface Register {
    contract: typeof contract
  }
}

/** A contract has functions, so it can't come from a server component: it is imported here. */
export function Providers({ children }: { children: ReactNode }) {
  const [queryClient] = useState(
    () => new QueryClient({ defaultOptions: { queries: { retry: retryRpc, staleTime: 60_000 } } }),
  )
  return (
    <QueryClientProvider client={queryClient}>
      <RpcProvider url={() => `ws://${location.host}/rpc`} contract={contract}>
        {children}
      </RpcProvider>
    </QueryClientProvider>
  )
}
