import {
  type ProgressListenerOptions,
  ProgressListening,
} from '../features/progress/progress-values.js'
import type { GatherTarget } from './gather.js'

/** The progress of the targets of one call. */
export class TargetsProgress {
  readonly #options: () => ProgressListenerOptions
  readonly #listening = new Map<string, ProgressListening>()
  readonly #over = new Set<string>()

  /** @param options how the values of one target are told. */
  constructor(options: () => ProgressListenerOptions) {
    this.#options = options
  }

  heard({ node, id }: Pick<GatherTarget, 'node' | 'id'>, value: unknown): void {
    const key = node + id
    if (this.#over.has(key)) return
    const listening = this.#listening.get(key) ?? new ProgressListening(this.#options())
    this.#listening.set(key, listening)
    listening.heard(value)
  }

  /** A target has failed, or nothing more will be known of it: its listener gets no more values. */
  failed({ node, id }: GatherTarget): void {
    const key = node + id
    this.#over.add(key)
    this.#listening.get(key)?.failed()
  }

  /**
   * The result of a target has arrived.
   *
   * @returns a promise that resolves when the listener has got the last value; undefined if the target has told none.
   */
  beforeResult({ node, id }: GatherTarget): Promise<void> | undefined {
    const key = node + id
    this.#over.add(key)
    return this.#listening.get(key)?.beforeResult()
  }
}
