import { createClient } from '@flashrpc/core'
import { electronTransport } from '@flashrpc/electron/renderer'
import { contract } from './contract.js'
import { discover } from './discover.js'

/** The test's page, bundled for a window. `?manual` connects when told; `?name=…` names the host. */

const query = new URLSearchParams(window.location.search)

function connect(name?: string) {
  const told: string[] = []
  const client = createClient(contract, {
    transport: electronTransport(name === undefined ? {} : { name }),
    retry: { minDelayMs: 20, maxDelayMs: 100 },
    connectTimeoutMs: Number(query.get('connectTimeoutMs') ?? 30_000),
    timeout: 5_000,
    methods: {
      title: () => document.title,
      echo: ({ text }) => text,
      reverse: ({ bytes }) => bytes.slice().reverse(),
      never: () => new Promise(() => {}),
      async *count({ upTo }) {
        for (let n = 0; n < upTo; n++) yield n
      },
      told: ({ text }) => told.push(text),
      dialogs: { ask: ({ text }) => `${text}!` },
    },
  })
  return { client, told }
}

/** A raw hand-over, as a script of the page may post it; resolves to what comes back on the port. */
async function handOverRaw(message: unknown, ports = 1): Promise<unknown[]> {
  const channels = Array.from({ length: ports }, () => new MessageChannel())
  const heard: unknown[] = []
  for (const { port1 } of channels) port1.onmessage = ({ data }) => heard.push(data)
  window.postMessage(
    message,
    '/',
    channels.map(({ port2 }) => port2),
  )
  await new Promise((resolve) => setTimeout(resolve, 300))
  return heard
}

/** Posts to the port of an accepted connection what no client would; resolves to what comes back. */
async function breakProtocol(
  make: (buffer: ArrayBuffer) => [message: unknown, transfer: unknown[]],
) {
  const { port1, port2 } = new MessageChannel()
  const heard: unknown[] = []
  port1.onmessage = ({ data }) => heard.push(data)
  window.postMessage({ flashrpc: 'connect', v: 1, name: 'default' }, '/', [port2])
  await until(() => heard.some((data) => (data as { flashrpc?: string }).flashrpc === 'accepted'))
  const [message, transfer] = make(new ArrayBuffer(8))
  port1.postMessage(message, transfer as Transferable[])
  await until(() => heard.some((data) => (data as { flashrpc?: string }).flashrpc === 'close'))
  return heard.at(-1)
}

async function until(reached: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000
  while (!reached()) {
    if (performance.now() > deadline) throw new Error('It never happened')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export type TestPage = ReturnType<typeof connect> & {
  connect: typeof connect
  handOverRaw: typeof handOverRaw
  breakProtocol: typeof breakProtocol
  discover: typeof discover
}

declare global {
  var app: TestPage
}

const first = query.has('manual') ? undefined : connect(query.get('name') ?? undefined)
Object.assign(globalThis, { app: { ...first, connect, handOverRaw, breakProtocol, discover } })
