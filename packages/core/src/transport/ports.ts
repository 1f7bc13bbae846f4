import { RpcConfigError } from '../errors.js'

/** As much of a port as is needed: the DOM's `MessagePort`, that of `node:worker_threads`, a worker's own scope. */
export interface MessagePortLike {
  postMessage(message: unknown): void
  start?(): void
  close(): void
  // biome-ignore lint/suspicious/noExplicitAny: the DOM's and Node's events have no type in common
  addEventListener(type: string, listener: (event: any) => void): void
}

/** As much of a browser's `Worker` as is needed. */
export interface WorkerLike {
  postMessage(message: unknown): void
  terminate(): unknown
  // biome-ignore lint/suspicious/noExplicitAny: each type of event has a type of its own
  addEventListener(type: string, listener: (event: any) => void): void
  // biome-ignore lint/suspicious/noExplicitAny: each type of event has a type of its own
  removeEventListener(type: string, listener: (event: any) => void): void
}

/** As much of a `Worker` of `node:worker_threads` as is needed. */
export interface NodeWorkerLike {
  postMessage(message: unknown): void
  terminate(): unknown
  // biome-ignore lint/suspicious/noExplicitAny: each event has arguments of its own
  on(event: string, listener: (value: any) => void): unknown
  // biome-ignore lint/suspicious/noExplicitAny: each event has arguments of its own
  off(event: string, listener: (value: any) => void): unknown
}

/** What a port tells. */
export interface PortEvents {
  message(data: unknown): void
  /** What arrived could not be read. */
  unreadable(): void
  /** The other end is gone. */
  gone(reason: string): void
}

/** Ports and workers, alike. */
export interface Port {
  /** Begins to listen, once; what came before is told first, where the port keeps it. */
  listen(events: PortEvents): void
  /** Ends it. A worker goes on: it belongs to whoever started it. */
  end(): void
}

/**
 * @param port a `MessagePort` of the DOM or of `node:worker_threads` (such as `parentPort`), a `Worker` of either,
 *   or, in a browser's worker, `self`.
 * @throws {RpcConfigError} where it is anything else, naming what is taken.
 */
export function portOf(port: MessagePortLike | WorkerLike | NodeWorkerLike): Port {
  const members = port as Partial<MessagePortLike & WorkerLike & NodeWorkerLike> | null | undefined
  if (typeof members?.postMessage === 'function' && !isForMany(port)) {
    if (typeof members.addEventListener === 'function') {
      // Its `close` would end the worker.
      const isScope = port === (globalThis as unknown)
      if (isScope || typeof members.terminate === 'function') return workerPort(port as WorkerLike)
      if (typeof members.close === 'function') return messagePort(port as MessagePortLike)
    } else if (typeof members.on === 'function' && typeof members.terminate === 'function') {
      return nodeWorkerPort(port as NodeWorkerLike)
    }
  }
  throw new RpcConfigError(
    `messagePortTransport takes a MessagePort, a Worker (the browser's or Node's), parentPort, or self in a worker; it was given ${describePort(port)}`,
  )
}

function messagePort(port: MessagePortLike): Port {
  return {
    listen({ message, unreadable, gone }) {
      port.addEventListener('message', ({ data }) => message(data))
      port.addEventListener('messageerror', unreadable)
      port.addEventListener('close', () => gone('The port was closed'))
      port.start?.()
    },
    end: () => port.close(),
  }
}

// biome-ignore lint/suspicious/noExplicitAny: each type of event has a type of its own
type Listener = (event: any) => void

/** What listens on something that is not this connection's own, and has to be left as it was. */
function listening(
  add: (type: string, listener: Listener) => unknown,
  remove: (type: string, listener: Listener) => unknown,
  listenersFor: (events: PortEvents) => Readonly<Record<string, Listener>>,
): Port {
  let listeners: [string, Listener][] = []
  return {
    listen(events) {
      listeners = Object.entries(listenersFor(events))
      for (const [type, listener] of listeners) add(type, listener)
    },
    end() {
      for (const [type, listener] of listeners) remove(type, listener)
    },
  }
}

/** A browser's worker, or the scope of one. */
function workerPort(worker: WorkerLike): Port {
  return listening(
    (type, listener) => worker.addEventListener(type, listener),
    (type, listener) => worker.removeEventListener(type, listener),
    ({ message, unreadable, gone }) => ({
      message: ({ data }: { data: unknown }) => message(data),
      messageerror: unreadable,
      // An exception in a worker that goes on has a message; a script that can't be loaded has none.
      error: ({ message: text }: { message?: string }) => {
        if (text === undefined) gone('The worker could not be loaded')
      },
    }),
  )
}

function nodeWorkerPort(worker: NodeWorkerLike): Port {
  return listening(
    (type, listener) => worker.on(type, listener),
    (type, listener) => worker.off(type, listener),
    ({ message, unreadable, gone }) => ({
      message,
      messageerror: unreadable,
      exit: () => gone('The worker has ended'),
    }),
  )
}

/** Whether what is posted there reaches others, too, or comes back by another way. */
function isForMany(port: unknown): boolean {
  // Of a window of another site, nothing but `window` may be read.
  const isWindow = (port as { window?: unknown } | null | undefined)?.window === port
  return isWindow || (typeof BroadcastChannel === 'function' && port instanceof BroadcastChannel)
}

function describePort(port: unknown): string {
  if (port === null) return 'null, which parentPort is outside of a worker thread'
  if (typeof port !== 'object') return `a value of type ${typeof port}`
  if (isForMany(port)) return 'what others hear, too: post it one port of a MessageChannel'
  const name = `an object (${port.constructor?.name})`
  return 'port' in port ? `${name}: give it its port` : name
}
