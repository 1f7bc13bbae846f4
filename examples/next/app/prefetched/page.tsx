import { type Client, createClient } from '@flashrpc/core'
import { rpcQueryOptions } from '@flashrpc/react/query'
import { dehydrate, HydrationBoundary, QueryClient } from '@tanstack/react-query'
import { contract } from '../../contract'
import { Greeting } from '../greeting'
import { Status } from '../status'

// For each request: when it is built, nobody could answer.
export const dynamic = 'force-dynamic'

type Own = Client<typeof contract.client, typeof contract.server>

/** A client of the server's own, one for all requests. A module is loaded anew while you develop: the process keeps it. */
const own = globalThis as { rpcClient?: Own }

function ownClient(): Own {
  own.rpcClient ??= createClient(contract, {
    url: process.env.RPC_URL ?? 'ws://127.0.0.1:3000/rpc',
  })
  return own.rpcClient
}

/** A server component that calls: what it was answered is in the HTML, and the page does not ask again. */
export default async function Page() {
  const queryClient = new QueryClient()
  await queryClient.prefetchQuery(rpcQueryOptions(ownClient(), 'greet', { name: 'Grace' }))
  return (
    <HydrationBoundary state={dehydrate(queryClient)}>
      <Status />
      <Greeting name="Grace" />
    </HydrationBoundary>
  )
}
