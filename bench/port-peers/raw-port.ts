import type { PortPeer } from '../peer.ts'

interface Request {
  id: number
  method: 'add' | 'echo'
  params: unknown
}

/** Bare postMessage: a map of promises, and a structured clone of each message. */
export const rawPort: PortPeer = {
  serve(port) {
    port.on('message', ({ id, method, params }: Request) => {
      const { a, b } = params as { a: number; b: number }
      port.postMessage({ id, result: method === 'add' ? a + b : params })
    })
  },
  async connect(port) {
    const calls = new Map<number, (result: never) => void>()
    let last = 0
    port.on('message', ({ id, result }: { id: number; result: never }) => {
      calls.get(id)?.(result)
      calls.delete(id)
    })
    const call = <T>(method: Request['method'], params: unknown): Promise<T> =>
      new Promise((resolve) => {
        calls.set(++last, resolve)
        port.postMessage({ id: last, method, params } satisfies Request)
      })
    return {
      add: (a, b) => call('add', { a, b }),
      echo: (value) => call('echo', value),
      bytes: (value) => call('echo', value),
    }
  },
}
