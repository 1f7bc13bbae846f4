import type { Socket } from 'node:net'
import { type Direction, type Ending, type FaultSettings, NO_FAULTS } from './faults.js'
import { resetSocket } from './reset-socket.js'
import { seededRandom } from './seeded-random.js'

/** The most bytes that are on their way. Then the sender must wait. */
const MAX_HELD = 1024 * 1024
/** A throttled flow passes bytes on in portions of so much time, in ms. */
const PORTION_MS = 20
/** How long the other side has to read the last bytes before a reset, in ms. */
const READ_MS = 10
/** The longest delay of a timer, in ms. It is here again because `testing/` imports only `errors/`. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Bytes on their way, or the source's end. */
interface Held {
  /** When it may arrive, on the clock of `performance.now()`. */
  due: number
  what: Buffer | 'fin' | 'rst'
}

export interface FlowEvents {
  /** As many bytes have passed as a fault lets through. */
  limit(how: Ending): void
  /** The source has ended, and the destination has been told, or never will be. */
  done(): void
}

/** One direction of a connection: passes on the bytes of one socket to another, with faults. */
export class Flow {
  /** Bytes that came from the source. */
  received = 0
  /** Bytes that were passed to the destination. */
  passed = 0
  /** Something vanished in a black hole. */
  hasLost = false
  isDone = false
  readonly #direction: Direction
  readonly #index: number
  readonly #events: FlowEvents
  #source: Socket | undefined
  #destination: Socket | undefined
  #faults = NO_FAULTS
  readonly #queue: Held[] = []
  #held = 0
  #random = seededRandom(0)
  /** When a throttled flow may pass on its next portion. */
  #freeAt = 0
  /** The count of passed bytes at which the limit is reached. */
  #limitAt = Number.POSITIVE_INFINITY
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopped = false

  /** @param index of the connection; each jitters in its own way. */
  constructor(direction: Direction, index: number, events: FlowEvents) {
    this.#direction = direction
    this.#index = index
    this.#events = events
  }

  from(source: Socket): void {
    this.#source = source
    source.on('data', (bytes: Buffer) => {
      if (this.#stopped) return
      this.received += bytes.length
      this.#take(bytes)
    })
    source.on('end', () => this.#take('fin'))
    source.on('close', (hadError) => {
      if (hadError) this.broken()
    })
  }

  to(destination: Socket): void {
    this.#destination = destination
    destination.on('drain', () => this.#run())
    destination.on('close', () => this.#run())
    this.#run()
  }

  /** The source was reset, or can't be reached. */
  broken(): void {
    // No reader makes room any more for what waits, and a reset waits for no reader.
    if (this.#destination?.writableNeedDrain) this.#drop()
    this.#take('rst')
  }

  apply(faults: FaultSettings): void {
    if (this.#stopped) return
    const before = this.#faults
    this.#faults = faults
    const { delay, bytesPerSecond, limit, blackHole } = faults
    const direction = this.#direction
    if (delay !== before.delay) {
      const ownSeed = 2 * this.#index + (direction === 'up' ? 0 : 1)
      this.#random = seededRandom((delay.seed ?? 0) + Math.imul(ownSeed, 0x9e3779b1))
      if (delay[direction] === undefined) for (const held of this.#queue) held.due = 0
    }
    if (bytesPerSecond !== before.bytesPerSecond) this.#freeAt = 0
    if (limit !== before.limit) {
      this.#limitAt = this.passed + (limit?.bytes[direction] ?? Number.POSITIVE_INFINITY)
      this.#atLimit()
    }
    if (blackHole[direction] && this.#queue.length > 0) {
      const ended = this.#hasEnd()
      this.#drop()
      this.#lose(ended)
    }
    this.#run()
  }

  /** Passes nothing on any more; the source is read out, so that its end is noticed. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#drop()
    this.#source?.resume()
  }

  #take(what: Held['what']): void {
    if (this.#stopped) return
    if (this.#faults.blackHole[this.#direction]) return this.#lose(typeof what === 'string')
    this.#queue.push({ due: this.#due(), what })
    if (typeof what !== 'string') this.#held += what.length
    this.#run()
  }

  /** When what came now may arrive; not before what came earlier, whose turn is first. */
  #due(): number {
    const { delay } = this.#faults
    const delayMs = delay[this.#direction]
    if (delayMs === undefined) return 0
    return performance.now() + delayMs + this.#random() * (delay.jitterMs ?? 0)
  }

  #lose(isEnd: boolean): void {
    this.hasLost = true
    if (isEnd) this.#done()
  }

  #hasEnd(): boolean {
    return this.#queue.some(({ what }) => typeof what === 'string')
  }

  #drop(): void {
    this.#queue.length = 0
    this.#held = 0
  }

  #done(): void {
    this.isDone = true
    this.#events.done()
  }

  /** Passes on what may arrive now. */
  #run(): void {
    clearTimeout(this.#timer)
    const destination = this.#destination
    while (destination && !this.#stopped && !this.#faults.stall[this.#direction]) {
      // Nobody is there to get it, but the source's end must be noticed.
      if (destination.destroyed) {
        const ended = this.#hasEnd()
        this.#drop()
        if (ended) this.#done()
        break
      }
      const head = this.#queue[0]
      if (!head || !this.#isTime(head.due)) break
      if (typeof head.what === 'string') {
        this.#queue.shift()
        if (head.what === 'fin') destination.end()
        else resetSocket(destination)
        this.#done()
      } else if (destination.writableNeedDrain || !this.#isTime(this.#freeAt)) break
      else this.#pass(destination, head, head.what)
    }
    this.#hurryOrHold()
  }

  #pass(destination: Socket, head: Held, bytes: Buffer): void {
    const rate = this.#faults.bytesPerSecond[this.#direction]
    const portion =
      rate === undefined ? bytes.length : Math.max(1, Math.floor((rate * PORTION_MS) / 1_000))
    const left = this.#left()
    const size = Math.min(bytes.length, portion, left)
    const piece = bytes.subarray(0, size)
    if (size === bytes.length) this.#queue.shift()
    else head.what = bytes.subarray(size)
    this.#held -= size
    this.passed += size
    if (rate !== undefined) this.#freeAt = performance.now() + (size / rate) * 1_000
    if (size < left) destination.write(piece)
    else if (this.#faults.limit?.how === 'reset') {
      // A reset discards what the system has not been given yet.
      destination.write(piece, () => this.#resetSoon())
      this.#faults.limit.reached = true
      this.stop()
    } else {
      destination.write(piece)
      this.#atLimit()
    }
  }

  /**
   * Lets the last bytes be read first: libuv takes a reset that comes together with bytes for a plain
   * end. Between the timer and the immediate, Node reads, however late the timer is.
   */
  #resetSoon(): void {
    const reset = () => this.#events.limit('reset')
    this.#timer = setTimeout(() => setImmediate(reset), READ_MS)
  }

  /** How many bytes a fault still lets through. */
  #left(): number {
    const { limit } = this.#faults
    return limit?.once && limit.reached ? Number.POSITIVE_INFINITY : this.#limitAt - this.passed
  }

  #atLimit(): void {
    const { limit } = this.#faults
    if (!limit || this.#left() > 0) return
    limit.reached = true
    this.#events.limit(limit.how)
  }

  /** @returns whether the time has come. If it has not, a timer waits for it. */
  #isTime(time: number): boolean {
    const wait = time - performance.now()
    if (wait <= 0) return true
    this.#timer = setTimeout(() => this.#run(), Math.min(Math.ceil(wait), MAX_TIMER_MS))
    return false
  }

  /** Back-pressure: the source is read only while what it says has somewhere to go. */
  #hurryOrHold(): void {
    const source = this.#source
    if (!source) return
    const swallows = this.#stopped || this.#faults.blackHole[this.#direction]
    const isFull = this.#held >= MAX_HELD || this.#destination?.writableNeedDrain
    if (isFull && !swallows) source.pause()
    else source.resume()
  }
}
