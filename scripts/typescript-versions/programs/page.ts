import { createChannel, messagePortTransport, webSocketTransport } from '@flashrpc/core'
import { pythonDialect } from '@flashrpc/core/python'
import { fromReconnectingWebSocket } from '@flashrpc/core/reconnecting-websocket'
import { betweenTabs, serveTabs } from '@flashrpc/core/tabs'
import { client } from './client.js'
import { contract } from './contract.js'

/** What only a page has: workers, its own sockets and streams. */

const worker = new Worker('worker.js', { type: 'module' })
export const channel = createChannel(contract, {
  side: 'client',
  transport: messagePortTransport(worker),
  methods: { confirm: () => 'yes', shape: () => ({ kind: 'circle', sides: ['a'] }) },
})
export const sum: Promise<number> = channel.other.add({ a: 1, b: 2 })
export const port = messagePortTransport(new MessageChannel().port1)
export const socket = webSocketTransport(new WebSocket('ws://127.0.0.1'))
export const tabs = [betweenTabs, serveTabs, pythonDialect, fromReconnectingWebSocket]

const form = document.querySelector('form')
form?.addEventListener('submit', async () => {
  form.textContent = await client.other.color()
})

// @ts-expect-error: it is neither a port nor a worker
messagePortTransport(document)
