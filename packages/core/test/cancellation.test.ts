import { getEventListeners } from 'node:events'
import { createClient } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { expect, test } from 'vitest'
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  CancellationTokenSource,
  createMessageConnection,
  type DataCallback,
  type Disposable,
  type Message,
} from 'vscode-jsonrpc/node'
import { WebSocket } from 'ws'
import { polled } from './support/eventually.js'
import { rejection } from './support/rejection.js'

interface Waiting {
  wait(): string
}

/** An endpoint whose `wait` lasts until it is aborted, and says so. */
async function waitingServer() {
  const seen: string[] = []
  const endpoint = createEndpoint<Waiting>({
    methods: {
      wait: (_, { signal }) => {
        seen.push('begun')
        return new Promise<string>((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            seen.push('aborted')
            reject(signal.reason)
          })
        })
      },
    },
  })
  const { url } = await endpoint.listen()
  return { endpoint, url, seen }
}

/** An endpoint whose `wait` calls that of the next, and passes its signal on. */
async function passingServer(next: string) {
  const client = createClient<Waiting>({ url: next })
  const endpoint = createEndpoint<Waiting>({
    methods: { wait: (_, { signal }) => client.other.wait(undefined, { signal }) },
  })
  const { url } = await endpoint.listen()
  return {
    url,
    close: async () => {
      await endpoint.close()
      await client.close()
    },
  }
}

test('an abort reaches the handler three connections away', async () => {
  const leaf = await waitingServer()
  const second = await passingServer(leaf.url)
  const first = await passingServer(second.url)
  const client = createClient<Waiting>({ url: first.url })
  try {
    const abort = new AbortController()
    const call = client.other.wait(undefined, { signal: abort.signal })
    call.catch(() => {})
    await polled(() => leaf.seen).toEqual(['begun'])
    abort.abort()
    await expect(call).rejects.toMatchObject({ name: 'RpcAbortedError' })
    await polled(() => leaf.seen).toEqual(['begun', 'aborted'])
  } finally {
    await client.close()
    await first.close()
    await second.close()
    await leaf.endpoint.close()
  }
})

class SocketReader extends AbstractMessageReader {
  readonly socket: WebSocket

  constructor(socket: WebSocket) {
    super()
    this.socket = socket
  }

  listen(callback: DataCallback): Disposable {
    this.socket.on('message', (data) => callback(JSON.parse(String(data))))
    return { dispose: () => {} }
  }
}

class SocketWriter extends AbstractMessageWriter {
  readonly socket: WebSocket

  constructor(socket: WebSocket) {
    super()
    this.socket = socket
  }

  async write(message: Message): Promise<void> {
    this.socket.send(JSON.stringify(message))
  }

  end(): void {}
}

test("a cancellation of vscode-jsonrpc's aborts the handler, and is answered as one", async () => {
  const { endpoint, url, seen } = await waitingServer()
  const socket = new WebSocket(url)
  await new Promise((resolve) => socket.once('open', resolve))
  const connection = createMessageConnection(new SocketReader(socket), new SocketWriter(socket))
  connection.listen()
  try {
    const source = new CancellationTokenSource()
    const call = connection.sendRequest('wait', {}, source.token)
    call.catch(() => {})
    await polled(() => seen).toEqual(['begun'])
    source.cancel()
    await expect(call).rejects.toMatchObject({ code: -32800 })
    expect(seen).toEqual(['begun', 'aborted'])
  } finally {
    connection.dispose()
    socket.close()
    await endpoint.close()
  }
})

test('one signal serves any number of calls, without a warning, and nothing of it stays', async () => {
  const { endpoint, url, seen } = await waitingServer()
  const client = createClient<Waiting>({ url })
  const warned: Error[] = []
  const onWarning = (warning: Error) => warned.push(warning)
  process.on('warning', onWarning)
  try {
    const controller = new AbortController()
    const { signal } = controller
    const calls = Array.from({ length: 100 }, () => client.other.wait(undefined, { signal }))
    for (const call of calls) call.catch(() => {})
    await polled(() => seen.length).toBe(100)
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    controller.abort()
    for (const call of calls) await expect(call).rejects.toMatchObject({ name: 'RpcAbortedError' })
    await polled(() => seen.filter((what) => what === 'aborted').length).toBe(100)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)

    const other = new AbortController().signal
    const refused = await rejection(client.call('none' as 'wait', undefined, { signal: other }))
    expect(refused).toMatchObject({ code: -32601 })
    expect(getEventListeners(other, 'abort')).toHaveLength(0)
    expect(warned).toEqual([])
  } finally {
    process.off('warning', onWarning)
    await client.close()
    await endpoint.close()
  }
})
