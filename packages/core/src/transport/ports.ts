import { RpcConfigError } from '../errors/errors.js'

/**
 * The part of a port that is needed. The DOM's `MessagePort`, that of `node:worker_threads` and a worker's own scope
 * have it.
 */
export interface MessagePortLike {
  /** Sends a message. */
  postMessage(message: unknown): void
  /** Begins to deliver messages. */
  start?(): void
  /** Closes the port. */
  close(): void
  /** Adds a listener. */
  // biome-ignore lint/suspicious/noExplicitAny: the DOM's and Node's events have no type in common
  addEventListener(type: string, listener: (event: any) => void): void
}

/** The part of a browser's `Worker` that is needed. */
export interface WorkerLike {
  /** Sends a message. */
  postMessage(message: unknown): void
  /** Ends the worker. */
  terminate(): unknown
  /** Adds a listener. */
  // biome-ignore lint/suspicious/noExplicitAny: each type of event has a type of its own
  addEventListener(type: string, listener: (event: any) => void): void
  /** Removes a listener. */
  // biome-ignore lint/suspicious/noExplicitAny: each type of event has a type of its own
  removeEventListener(type: string, listener: (event: any) => void): void
}

/** The part of a `Worker` of `node:worker_threads` that is needed. */
export interface NodeWorkerLike {
  /** Sends a message. */
  postMessage(message: unknown): void
  /** Ends the worker. */
  terminate(): unknown
  /** Adds a listener. */
  // biome-ignore lint/suspicious/noExplicitAny: each event has arguments of its own
  on(event: string, listener: (value: any) => void): unknown
  /** Removes a listener. */
  // biome-ignore lint/suspicious/noExplicitAny: each event has arguments of its own
  off(event: string, listener: (value: any) => void): unknown
}

/** The events of a port. */
export interface PortEvents {
  message(data: unknown): void
  /** A message that arrived could not be read. */
  unreadable(): void
  /** The other end is gone. */
  gone(reason: string): void
}

/** One interface for ports and workers. */
export interface Port {
  /** Begins to listen; called once. Messages that the port has kept are delivered first. */
  listen(events: PortEvents): void
  /** Ends the port. A worker goes on, because it belongs to the program that started it. */
  end(): void
}

/**
 * @param port a `MessagePort` of the DOM or of `node:worker_threads` (such as `parentPort`), a `Worker` of either,
 *   or, in a browser's worker, `self`.
 * @throws {RpcConfigError} naming the kinds of ports, if it is anything else.
 */
export function portOf(port: MessagePortLike | WorkerLike | NodeWorkerLike): Port {
  const members = port as Partial<MessagePortLike & WorkerLike & NodeWorkerLike> | null | undefined
  if (typeof members?.postMessage === 'function' && !isForMany(port)) {
    if (typeof members.addEventListener === 'function') {
      // `close` of a worker's own scope would end the worker, so it must not be called.
      const isScope = port === (globalThis as unknown)
      if (isScope || typeof members.terminate === 'function') return workerPort(port as WorkerLike)
      if (typeof members.close === 'function') return messagePort(port as MessagePortLike)
    } else if (typeof members.on === 'function' && typeof members.terminate === 'function') {
      return nodeWorkerPort(port as NodeWorkerLike)
    }
  }
  throw new RpcConfigError(
    `messagePortTransport takes a MessagePort, a Worker (the browser's or Node's), parentPort, or self in a worker. It was given ${describePort(port)}`,
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

/** Listens on an object that does not belong to the connection, and removes its listeners at the end. */
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

/** A browser's `Worker`, or the global scope inside one. */
function workerPort(worker: WorkerLike): Port {
  return listening(
    (type, listener) => worker.addEventListener(type, listener),
    (type, listener) => worker.removeEventListener(type, listener),
    ({ message, unreadable, gone }) => ({
      message: ({ data }: { data: unknown }) => message(data),
      messageerror: unreadable,
      // An event with a message is an exception in a worker that goes on; without one, the script could not be loaded.
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

/** Whether messages posted to it also reach other listeners, or come back to the sender. */
function isForMany(port: unknown): boolean {
  // Of a window of another site, no other member than `window` may be read here.
  const isWindow = (port as { window?: unknown } | null | undefined)?.window === port
  return isWindow || (typeof BroadcastChannel === 'function' && port instanceof BroadcastChannel)
}

function describePort(port: unknown): string {
  if (port === null) return 'null, which parentPort is outside of a worker thread'
  if (typeof port !== 'object') return `a value of type ${typeof port}`
  if (isForMany(port)) {
    return 'an object that others get messages from, too. Post one port of a MessageChannel over it'
  }
  const name = `an object (${port.constructor?.name})`
  return 'port' in port ? `${name}: give it its port` : name
}
