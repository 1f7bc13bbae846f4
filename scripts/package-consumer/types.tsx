import { type Client, createClient, defineContract, method, notification } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import type { HandOver } from '@flashrpc/electron/main'
import { RpcProvider, useRpc, useRpcMethod } from '@flashrpc/react'
import { z } from 'zod'

const contract = defineContract({
  server: { add: method({ params: z.object({ a: z.number() }), result: z.number() }) },
  client: { notify: notification({ params: z.object({ text: z.string() }) }) },
})

declare module '@flashrpc/react' {
  interface Register {
    contract: typeof contract
  }
}

export const client: Client<typeof contract.client, typeof contract.server> = createClient(
  contract,
  { url: 'ws://localhost', autoConnect: false },
)
export const endpoint = createEndpoint(contract, {
  methods: {
    add({ a }, { channel }) {
      void channel.other.notify({ text: 'hi' })
      return a
    },
  },
})
export const sum: Promise<number> = client.other.add({ a: 1 })
// @ts-expect-error a is a number
void client.other.add({ a: '1' })
export type Version = HandOver['v']

export function Page() {
  const rpc = useRpc()
  useRpcMethod('notify', ({ text }) => console.log(text.toUpperCase()))
  // @ts-expect-error the registered contract has no such method
  rpc.subtract
  const total: Promise<number> = rpc.add({ a: 1 })
  void total
  return <RpcProvider url="ws://localhost" contract={contract} />
}
