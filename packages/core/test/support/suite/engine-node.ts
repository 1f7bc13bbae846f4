import type { ClusterEngine } from '@flashrpc/core/cluster'
import { expect } from 'vitest'
import { eventually } from '../eventually.js'

/** A node of a test: an engine, and all that it has told. */
export class EngineNode {
  readonly engine: ClusterEngine
  /** Each message: its subject, and its payload as text. */
  readonly told: [subject: string, text: string][] = []
  /** `up` and `down`, in order. */
  readonly states: ('up' | 'down')[] = []
  onMessage: ((subject: string, payload: Uint8Array) => void) | undefined
  #isInCall = false

  constructor(engine: ClusterEngine) {
    this.engine = engine
  }

  async start(): Promise<this> {
    await this.engine.start({
      message: (subject, payload) => {
        this.#assertNotInCall()
        this.told.push([subject, decode(payload)])
        this.onMessage?.(subject, payload)
      },
      up: () => {
        this.#assertNotInCall()
        this.states.push('up')
      },
      down: (why) => {
        this.#assertNotInCall()
        expect(why).toMatch(/\w/)
        this.states.push('down')
      },
    })
    return this
  }

  publish(subject: string, text: string | Uint8Array): void {
    this.#call(() => this.engine.publish(subject, typeof text === 'string' ? encode(text) : text))
  }

  subscribe(subject: string): () => void {
    return this.#call(() => this.engine.subscribe(subject))
  }

  /** The texts of a subject, in order. */
  textsOf(subject: string): string[] {
    return this.told.filter(([of]) => of === subject).map(([, text]) => text)
  }

  /** Waits until a number of states was told. */
  async reached(states: readonly string[]): Promise<void> {
    await eventually(() => expect(this.states).toStrictEqual(states))
  }

  /** All that was published here has reached the messaging system, or the engine rejects. */
  settled(): Promise<void> {
    return this.engine.barrier()
  }

  #call<T>(run: () => T): T {
    this.#isInCall = true
    try {
      return run()
    } finally {
      this.#isInCall = false
    }
  }

  #assertNotInCall(): void {
    if (this.#isInCall) throw new Error('An event was told while a function of the engine ran')
  }
}

export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function decode(payload: Uint8Array): string {
  return new TextDecoder().decode(payload)
}
