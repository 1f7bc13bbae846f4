import { expose, wrap } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import type { PortPeer } from '../peer.ts'

const functions = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  echo: (value: object) => value,
}

/** As "Node" in its README says. */
export const comlink: PortPeer = {
  serve: (port) => expose(functions, nodeEndpoint(port)),
  async connect(port) {
    const server = wrap<typeof functions>(nodeEndpoint(port))
    return {
      add: (a, b) => server.add({ a, b }),
      echo: (value) => server.echo(value),
      bytes: (value) => server.echo(value) as Promise<Uint8Array>,
    }
  },
}
