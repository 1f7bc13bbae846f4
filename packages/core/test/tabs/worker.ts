import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { MessagePortLike, Transport } from '@flashrpc/core'
import type { Connector, ConnectorEvents } from '../../src/client/dial/connector.js'
import type { Share } from '../../src/client/share.js'
import {
  SharedConnector,
  type SharedConnectorOptions,
  type SharedWorkerLike,
} from '../../src/tabs/shared-connector.js'
import { TabConnector } from '../../src/tabs/tab-connector.js'
import type { TabMessage, WorkerMessage } from '../../src/tabs/tab-messages.js'
import { TabPort } from '../../src/tabs/tab-port.js'
import { TabServer, type TabsOptions } from '../../src/tabs/tab-server.js'

/** What betweenTabs makes, without a browser's SharedWorker. */
export function shared(
  createWorker: () => SharedWorkerLike,
  options: SharedConnectorOptions,
  events: ConnectorEvents,
  createOwn: () => Connector,
): Connector {
  return new TabConnector(
    (alone) => new SharedConnector(createWorker, options, events, alone),
    createOwn,
    options,
  )
}

/** What a shared worker runs, in this process: its ports are real ones. */
export function createWorker(options: TabsOptions = {}, silenceMs?: number) {
  const server = new TabServer(options, Promise.resolve(undefined), silenceMs)
  const ports: MessagePort[] = []
  const connect = () => {
    const { port1, port2 } = new MessageChannel()
    ports.push(port1, port2)
    void server.accept(port2)
    return port1
  }
  return {
    /** For clients: each is a tab. */
    share: {
      createConnector: (options, events, createOwn) =>
        shared(() => ({ port: connect() }), options, events, createOwn),
    } satisfies Share,
    /** For a client in a tab whose process can end without a word. */
    mortalShare: () => {
      let isDead = false
      const share: Share = {
        createConnector: (options, events, createOwn) =>
          shared(() => ({ port: mortal(connect()) }), options, events, createOwn),
      }
      const mortal = (port: MessagePort): MessagePortLike => ({
        postMessage: (message) => isDead || port.postMessage(message),
        close: () => isDead || port.close(),
        start: () => port.start(),
        addEventListener: (type, listener) =>
          port.addEventListener(type as 'message', (event) => isDead || listener(event)),
      })
      return { share, die: () => (isDead = true) }
    },
    /** One tab's connection to the server at this address, without a client around it. */
    open: (url: string) =>
      new Promise<Transport>((resolve) => {
        const port: TabPort<WorkerMessage, TabMessage> = new TabPort(connect(), {
          message: (message) => {
            if (message.flashrpc === 'ask-url') port.send({ flashrpc: 'url', n: message.n, url })
            if (message.flashrpc === 'open') resolve(port.connect(message.n))
          },
          gone: () => {},
        })
        port.send({ flashrpc: 'tab', lock: undefined, isVisible: true, owner: `url ${url}` })
      }),
    /** The worker dies, and its tabs' ports with it. */
    close: () => {
      for (const port of ports) port.close()
    },
  }
}
