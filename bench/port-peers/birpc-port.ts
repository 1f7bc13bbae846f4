import { createBirpc } from 'birpc'
import type { PortPeer } from '../peer.ts'

const functions = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  echo: (value: object) => value,
}

/** As "Using MessageChannel" in its README says. */
export const birpcPort: PortPeer = {
  serve(port) {
    createBirpc(functions, {
      post: (data) => port.postMessage(data),
      on: (listener) => port.on('message', listener),
    })
  },
  async connect(port) {
    const server = createBirpc<typeof functions>(
      {},
      { post: (data) => port.postMessage(data), on: (listener) => port.on('message', listener) },
    )
    return {
      add: (a, b) => server.add({ a, b }),
      echo: (value) => server.echo(value),
      bytes: (value) => server.echo(value) as Promise<Uint8Array>,
    }
  },
}
