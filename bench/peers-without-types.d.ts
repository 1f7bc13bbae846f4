/** Its package has types, which its `exports` do not lead to: as much of them as is used here. */
declare module 'rpc-websockets' {
  import type { EventEmitter } from 'node:events'
  import type { WebSocketServer } from 'ws'

  export class Server extends EventEmitter {
    readonly wss: WebSocketServer
    constructor(options: { port: number; host: string })
    register(name: string, handler: (params: never) => unknown): void
    event(name: string): void
  }
  export class Client extends EventEmitter {
    constructor(address: string)
    call(method: string, params: unknown): Promise<unknown>
    subscribe(event: string): Promise<unknown>
  }
}

/** Types are beside it, and not declared for this path. */
declare module 'comlink/dist/esm/node-adapter.mjs' {
  import type { MessagePort } from 'node:worker_threads'
  import type { Endpoint } from 'comlink'

  export default function nodeEndpoint(port: MessagePort): Endpoint
}
