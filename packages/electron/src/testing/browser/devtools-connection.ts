import { EventEmitter } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import type { CDPSession } from 'playwright-core'
import { ElectronBenchError } from '../bench-errors.js'

interface Answer {
  readonly id?: number
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: { readonly message: string }
  readonly sessionId?: string
}

interface Pending {
  readonly method: string
  readonly sessionId: string | undefined
  resolve(result: unknown): void
  reject(error: Error): void
}

/** One target's conversation over the DevTools protocol; its events are the protocol's. */
export class DevtoolsSession {
  readonly #events = new EventEmitter()
  /** The sessions of the target's own targets. */
  readonly connection: DevtoolsConnection
  readonly id: string | undefined

  constructor(connection: DevtoolsConnection, id?: string) {
    this.connection = connection
    this.id = id
  }

  /** Sends a command. Rejects if the command fails, or if the target or the browser goes away. */
  readonly send: CDPSession['send'] = (method: string, params?: object) =>
    this.connection.send(method, params, this.id) as never

  /** Calls the listener with each event of this name. */
  readonly on = ((method: string, listener: (params: unknown) => void) => {
    this.#events.on(method, listener)
  }) as unknown as CDPSession['on']

  /** Sends a command whose failure means no more than that its target is gone; answers nothing. */
  readonly tell = ((method: string, params?: object) => {
    this.connection.send(method, params, this.id).catch(() => {})
  }) as unknown as CDPSession['send']

  /** Passes on an event that was for this session. */
  receive(method: string, params: unknown): void {
    this.#events.emit(method, params)
  }
}

/** The DevTools protocol over a pair of pipes (`--remote-debugging-pipe`): JSON, each ended by a zero. */
export class DevtoolsConnection {
  /** The browser's own session. */
  readonly browser = new DevtoolsSession(this)
  readonly #input: Writable
  readonly #sessions = new Map<string, DevtoolsSession>()
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #closed = false
  #rest = ''

  constructor(output: Readable, input: Writable) {
    this.#input = input
    output.setEncoding('utf8')
    output.on('data', (chunk: string) => this.#read(chunk))
    output.on('close', () => this.close())
    for (const stream of [output, input]) stream.on('error', () => this.close())
  }

  /** The session of this id; made at its first mention. */
  session(id: string): DevtoolsSession {
    const known = this.#sessions.get(id)
    if (known) return known
    const session = new DevtoolsSession(this, id)
    this.#sessions.set(id, session)
    return session
  }

  /** Ends a session whose target is gone: what it still waits for fails. */
  end(id: string): void {
    this.#sessions.delete(id)
    this.#fail((pending) => pending.sessionId === id)
  }

  send(
    method: string,
    params: object | undefined,
    sessionId: string | undefined,
  ): Promise<unknown> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const pending = { method, sessionId, resolve, reject }
      if (this.#closed) return reject(goneError(pending))
      this.#pending.set(id, pending)
      this.#input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    })
  }

  /** Closes the pipes, on which Chromium ends. Safe to call twice. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#input.destroy()
    this.#fail(() => true)
  }

  #fail(which: (pending: Pending) => boolean): void {
    for (const [id, pending] of this.#pending) {
      if (!which(pending)) continue
      this.#pending.delete(id)
      pending.reject(goneError(pending))
    }
  }

  #read(chunk: string): void {
    const parts = (this.#rest + chunk).split('\0')
    this.#rest = parts.pop() ?? ''
    for (const part of parts) {
      try {
        this.#hear(JSON.parse(part) as Answer)
      } catch (error) {
        // A listener of the app's threw: uncaught, as it is in Electron, and the rest is still read.
        setImmediate(() => {
          throw error
        })
      }
    }
  }

  #hear({ id, method, params, result, error, sessionId }: Answer): void {
    if (id === undefined) {
      const session = sessionId === undefined ? this.browser : this.#sessions.get(sessionId)
      if (method !== undefined) session?.receive(method, params)
      return
    }
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (error) pending?.reject(new ElectronBenchError(`${pending.method}: ${error.message}`))
    else pending?.resolve(result)
  }
}

function goneError({ method }: Pending): ElectronBenchError {
  return new ElectronBenchError(`${method}: the page or the browser is gone`)
}
