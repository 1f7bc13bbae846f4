import { formatSize } from './sizes.js'

/** How often it is drawn at the most, in ms. */
const EVERY_MS = 100
const WIDTH = 30

/** A line that shows how far a transfer is. Where there is no terminal, there is none. */
export class ProgressBar implements Disposable {
  readonly #name: string
  readonly #size: number
  readonly #begin = performance.now()
  #bytes = 0
  #drawnAt = 0
  #hasEnded = false

  constructor(name: string, size: number) {
    this.#name = name
    this.#size = size
  }

  /** So many more bytes have gone over. */
  add(bytes: number): void {
    this.#bytes += bytes
    if (performance.now() - this.#drawnAt >= EVERY_MS) this.#draw()
  }

  /** Ends the line, and says how fast it was. Safe to call twice. */
  end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#draw()
    if (process.stderr.isTTY) process.stderr.write('\n')
    const seconds = (performance.now() - this.#begin) / 1_000
    process.stderr.write(
      `${this.#name}: ${formatSize(this.#bytes)} in ${seconds.toFixed(1)} s, ${this.#speed}\n`,
    )
  }

  [Symbol.dispose](): void {
    this.end()
  }

  #draw(): void {
    if (!process.stderr.isTTY) return
    this.#drawnAt = performance.now()
    const share = this.#size === 0 ? 1 : this.#bytes / this.#size
    const full = Math.round(WIDTH * share)
    const bar = '█'.repeat(full) + '░'.repeat(WIDTH - full)
    const percent = `${Math.floor(100 * share)}`.padStart(3)
    process.stderr.write(`\r${this.#name} ${bar} ${percent} % ${this.#speed}   `)
  }

  get #speed(): string {
    const seconds = Math.max(0.001, (performance.now() - this.#begin) / 1_000)
    return `${formatSize(this.#bytes / seconds)}/s`
  }
}
