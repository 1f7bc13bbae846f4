import { type Client, createClient, defineContract, method, notification } from '@flashrpc/core'
import { tracing } from '@flashrpc/core/opentelemetry'
import { createEndpoint } from '@flashrpc/core/server'
import { createLoopback } from '@flashrpc/electron/loopback'
import { createElectronHost, type ElectronPage } from '@flashrpc/electron/main'
import { electronTransport } from '@flashrpc/electron/renderer'
import { launchElectronApp, launchElectronBench } from '@flashrpc/electron/testing'
import { serveUtility } from '@flashrpc/electron/utility'
import '@flashrpc/electron/preload'
import { RpcProvider, useRpc, useRpcMethod } from '@flashrpc/react'
import { BrowserWindow, ipcMain } from 'electron'
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
  use: tracing({ attributes: ({ channel }) => ({ channel: channel.id }) }),
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

export function Page() {
  const rpc = useRpc()
  useRpcMethod('notify', ({ text }) => console.log(text.toUpperCase()))
  // @ts-expect-error the registered contract has no such method
  rpc.subtract
  const total: Promise<number> = rpc.add({ a: 1 })
  void total
  return <RpcProvider url="ws://localhost" contract={contract} />
}

export const host = createElectronHost(contract, {
  ipcMain,
  allow: ['app://demo'],
  use: tracing(),
  methods: { add: ({ a }, { identity }) => a + identity.frame.url.length },
})
void host.channelOf(new BrowserWindow()).other.notify({ text: 'hi' })
host.on('connect', (_, page: ElectronPage) => page.frame.origin)
// @ts-expect-error a host without allow lets nobody in
createElectronHost(contract, { ipcMain, methods: { add: ({ a }) => a } })
export const service = serveUtility(process.parentPort, contract, {
  methods: { add: ({ a }) => a },
})
export const loopback = createLoopback(contract, {
  origins: [],
  methods: { add: ({ a }) => a },
})
export const bench = [launchElectronApp, launchElectronBench]

export function DesktopPage() {
  return <RpcProvider transport={electronTransport()} contract={contract} />
}
