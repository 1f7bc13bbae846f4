import {
  type MessagePortLike,
  messagePortTransport,
  RpcDisconnectedError,
  type Transport,
} from '@flashrpc/core'
import type { HandOverAnswer } from './hand-over.js'

/** How long the other side of a hand-over may take, and the errors if it takes longer. */
export interface Patience {
  readonly ms: number
  /** Why nobody answers, and the remedy. */
  readonly why: string
  /** 4400 if another attempt would fail, too; otherwise 1006. */
  readonly closeCode: number
}

/**
 * Waits on this end of a channel, whose other end has been handed over, until it is accepted.
 *
 * @param patience for the first word, and for the answer after a preload has forwarded the port.
 * @param signal gives it up.
 * @returns a transport over the port.
 * @throws {RpcDisconnectedError} if it is refused, closed or not answered.
 */
export function acceptedPort(
  port: MessagePortLike,
  patience: { readonly first: Patience; readonly forwarded: Patience },
  signal: AbortSignal,
): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const handed = new HandedPort(port)
    let timer = wait(patience.first)

    function wait({ ms, why, closeCode }: Patience) {
      return setTimeout(() => {
        // A page that was busy for so long has an answer that waits behind this timer.
        timer = setTimeout(() => fail(why, closeCode), 0)
      }, ms)
    }
    function settle(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
    function fail(reason: string, closeCode: number, cause?: unknown): void {
      settle()
      port.close()
      reject(new RpcDisconnectedError(reason, 'not-sent', { closeCode, cause }))
    }
    const onAbort = () => fail('The hand-over was given up', 1006, signal.reason)

    signal.addEventListener('abort', onAbort, { once: true })
    handed.listen({
      answer(answer) {
        if (answer.flashrpc === 'forwarded') {
          clearTimeout(timer)
          timer = wait(patience.forwarded)
        } else if (answer.flashrpc === 'deciding') {
          // Main is alive. The caller bounds the whole attempt (`connectTimeoutMs`).
          clearTimeout(timer)
        } else if (answer.flashrpc === 'accepted') {
          settle()
          handed.pass()
          resolve(messagePortTransport(handed))
        } else fail(answer.reason, answer.code)
      },
      closed: () => fail(`The port was closed unanswered. ${patience.forwarded.why}`, 1006),
    })
    if (signal.aborted) onAbort()
  })
}

interface HandOverListener {
  answer(answer: HandOverAnswer): void
  closed(): void
}

/** A port that is listened to in two turns: first for the answer, then for frames. Between, it keeps them. */
class HandedPort implements MessagePortLike {
  readonly #port: MessagePortLike
  /** The listeners for frames, by the type of event, once there are any. */
  readonly #listeners = new Map<string, (event: unknown) => void>()
  /** The events that came before there was a listener. */
  readonly #kept: [type: string, event: unknown][] = []
  #first: HandOverListener | undefined

  constructor(port: MessagePortLike) {
    this.#port = port
  }

  /** Begins to listen, for an answer. */
  listen(first: HandOverListener): void {
    this.#first = first
    this.#port.addEventListener('message', (event) => {
      if (!this.#first) this.#tell('message', event)
      else if (isAnswer(event.data)) this.#first.answer(event.data)
    })
    this.#port.addEventListener('close', (event) => {
      if (this.#first) this.#first.closed()
      else this.#tell('close', event)
    })
    this.#port.addEventListener('messageerror', (event) => this.#tell('messageerror', event))
    this.#port.start?.()
  }

  /** Hears no more answers: what comes from now on is for a channel. */
  pass(): void {
    this.#first = undefined
  }

  postMessage(message: unknown): void {
    this.#port.postMessage(message)
  }

  close(): void {
    this.#port.close()
  }

  addEventListener(type: string, listener: (event: unknown) => void): void {
    this.#listeners.set(type, listener)
  }

  /** Called when all listen. */
  start(): void {
    for (const [type, event] of this.#kept.splice(0)) this.#listeners.get(type)?.(event)
  }

  #tell(type: string, event: unknown): void {
    const listener = this.#listeners.get(type)
    if (listener) listener(event)
    else this.#kept.push([type, event])
  }
}

function isAnswer(message: unknown): message is HandOverAnswer {
  if (typeof message !== 'object' || message === null) return false
  const { flashrpc, code, reason } = message as Record<string, unknown>
  if (flashrpc === 'refused') return typeof code === 'number' && typeof reason === 'string'
  return flashrpc === 'forwarded' || flashrpc === 'deciding' || flashrpc === 'accepted'
}
