'use client'

import { useRpcClient } from '@flashrpc/react'
import { rpcQueryOptions } from '@flashrpc/react/query'
import { useSuspenseQuery } from '@tanstack/react-query'

export function Greeting({ name }: { name: string }) {
  const { data } = useSuspenseQuery(rpcQueryOptions(useRpcClient(), 'greet', { name }))
  return <p>{data}</p>
}
