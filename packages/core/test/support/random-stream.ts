import { seededRandom } from '../../src/testing/seeded-random.js'
import { chunksOf, type Frame } from './ws-frames.js'

type Random = () => number

/** The largest message that both peers take, in bytes. */
export const LARGEST = 1024 * 1024

/** Where the header of a frame changes, and a little beside; as large as a message may be. */
const SIZES = [0, 1, 2, 124, 125, 126, 127, 128, 300, 4_000, 65_535, 65_536, 65_537]
const CHARACTERS = ['x', 'é', '€', '😀', '\uFFFD', '\uFEFF', '\0']

/** What is no UTF-8: RFC 3629, sections 3 and 4. */
const NO_UTF8: readonly number[][] = [
  [0xff],
  [0x80],
  [0xc0, 0xaf],
  [0xe2, 0x82],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf0, 0x9f, 0x98],
]

const CONTINUATION = 0x00
const TEXT = 0x01
const BYTES = 0x02
const CLOSE = 0x88
const PING = 0x89
const PONG = 0x8a
const FINAL = 0x80

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T
}

export function randomSize(random: Random): number {
  if (random() < 0.04) return pick(random, [100_000, 300_000, LARGEST])
  return random() < 0.5 ? pick(random, SIZES) : Math.floor(random() * 300)
}

/** Text of so many bytes. */
export function randomText(random: Random, size: number): string {
  const unit = pick(random, CHARACTERS)
  const count = Math.floor(size / Buffer.byteLength(unit))
  const text = unit.repeat(count)
  const rest = 'y'.repeat(size - Buffer.byteLength(text))
  return random() < 0.5 ? text + rest : rest + text
}

export function randomBytes(random: Random, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  const step = 1 + Math.floor(random() * 255)
  for (let n = 0; n < size; n++) bytes[n] = n * step
  return bytes
}

/** Frames that a peer sends, and what they come in. */
export interface RandomStream {
  readonly chunks: readonly Buffer[]
  /** Whether the first chunk comes together with what is ahead of all frames. */
  readonly isTogether: boolean
}

/** So many streams, of seeds that follow each other, have everything at least once that a stream can end with. */
export const KINDS = 24

/**
 * Messages, whole and in fragments, with control frames anywhere, and at most one thing that is wrong, or a goodbye,
 * after which others may follow.
 *
 * @param isMasked whether a client sends them.
 */
export function randomStream(seed: number, isMasked: boolean): RandomStream {
  const random = seededRandom(seed)
  const frames = new Frames(random, isMasked)
  const count = 1 + Math.floor(random() * 20)
  for (let n = 0; n < count; n++) frames.addUsual()
  const last = frames.ends.at(-1) as number
  const hasLast = frames.addLast(seed % KINDS)
  if (random() < 0.8) for (let n = 0; n < 3; n++) frames.addUsual()
  let [bytes = Buffer.alloc(0)] = chunksOf(frames.all)
  if (!hasLast && random() < 0.5) bytes = bytes.subarray(0, Math.floor(random() * bytes.length))
  // A chunk begins with it: behind a fragment, the rest of a chunk is left to `ws` anyway.
  const atLast = random() < 0.7 ? [last] : []
  return { chunks: cut(random, bytes, frames.ends, atLast), isTogether: random() < 0.3 }
}

/** Cuts bytes anywhere, mostly where frames end, or near. */
function cut(
  random: Random,
  bytes: Buffer,
  ends: readonly number[],
  certain: readonly number[],
): Buffer[] {
  const count = Math.floor(random() * 16)
  const places = Array.from({ length: count }, () => {
    if (random() < 0.2) return Math.floor(random() * bytes.length)
    return pick(random, ends) + (random() < 0.5 ? 0 : Math.floor(random() * 24) - 8)
  })
  const sorted = [0, ...places, ...certain, bytes.length]
    .map((place) => Math.max(0, Math.min(place, bytes.length)))
    .sort((a, b) => a - b)
  return sorted.slice(1).map((end, n) => bytes.subarray(sorted[n], end))
}

class Frames {
  readonly all: Frame[] = []
  /** Where each of them ends, in bytes. */
  readonly ends: number[] = [0]
  readonly #random: Random
  readonly #isMasked: boolean
  /** What share of all messages comes in fragments. After one, the rest of a chunk is left to `ws`. */
  readonly #fragments: number

  constructor(random: Random, isMasked: boolean) {
    this.#random = random
    this.#isMasked = isMasked
    this.#fragments = pick(random, [0, 0, 0.1, 0.4])
  }

  addUsual(): void {
    if (this.#random() < 0.2) this.#addControl()
    else if (this.#random() < this.#fragments) this.#addFragments(this.#payload())
    else this.#addMessage()
  }

  /** @param kind of what makes a peer read nothing more. @returns false for the last kinds, which are nothing. */
  addLast(kind: number): boolean {
    const random = this.#random
    const noText = Buffer.concat([
      Buffer.from(randomText(random, Math.floor(random() * 200))),
      Buffer.from(pick(random, NO_UTF8)),
    ])
    const wrong: (() => void)[] = [
      () => this.#add(FINAL | TEXT, noText),
      () => this.#addFragments({ opcode: TEXT, bytes: noText }),
      () => this.#add(FINAL | pick(random, [3, 4, 5, 6, 7, 11, 12, 15]), randomBytes(random, 3)),
      () => this.#add(FINAL | BYTES | pick(random, [0x10, 0x20, 0x40]), randomBytes(random, 3)),
      () => this.#add(FINAL | CONTINUATION, randomBytes(random, 3)),
      () => {
        this.#add(TEXT, Buffer.from('begun'))
        this.#add(FINAL | TEXT, Buffer.from('begun anew'))
      },
      () => this.#add(pick(random, [0x08, 0x09, 0x0a]), randomBytes(random, 3)),
      () => this.#add(pick(random, [CLOSE, PING, PONG]), randomBytes(random, 126)),
      () => this.#add(FINAL | BYTES, randomBytes(random, 3), { isMasked: !this.#isMasked }),
      () => this.#add(FINAL | BYTES, randomBytes(random, LARGEST + 1)),
      () => this.#addFragments({ opcode: BYTES, bytes: randomBytes(random, LARGEST + 1) }),
      () => this.#add(FINAL | BYTES, randomBytes(random, 9), { lengthBytes: 8, excess: 1 }),
      () => this.#add(FINAL | TEXT, noText, { lengthBytes: 8, excess: 2 ** 31 }),
      // Goodbyes: RFC 6455, sections 5.5.1 and 7.4.
      () => this.#add(CLOSE),
      () => this.#add(CLOSE, Buffer.of(3)),
      () => this.#add(CLOSE, goodbye(pick(random, [1000, 1001, 1011, 3000, 4321, 4999]))),
      () => this.#add(CLOSE, goodbye(1000, randomText(random, Math.floor(random() * 123)))),
      () => this.#add(CLOSE, goodbye(pick(random, [0, 999, 1004, 1005, 1006, 1015, 2000, 5000]))),
      () => this.#add(CLOSE, Buffer.concat([goodbye(1000), Buffer.from(pick(random, NO_UTF8))])),
    ]
    wrong[kind]?.()
    return kind < wrong.length
  }

  #payload(): { opcode: number; bytes: Buffer } {
    const size = randomSize(this.#random)
    return this.#random() < 0.6
      ? { opcode: TEXT, bytes: Buffer.from(randomText(this.#random, size)) }
      : { opcode: BYTES, bytes: randomBytes(this.#random, size) }
  }

  #addMessage(): void {
    const { opcode, bytes } = this.#payload()
    this.#add(FINAL | opcode, bytes)
  }

  #addFragments({ opcode, bytes }: { opcode: number; bytes: Buffer }): void {
    const random = this.#random
    const count = 1 + Math.floor(random() * 4)
    let from = 0
    for (let n = 0; n <= count; n++) {
      const isLast = n === count
      const to = isLast ? bytes.length : from + Math.floor(random() * (bytes.length - from + 1))
      this.#add((isLast ? FINAL : 0) | (n === 0 ? opcode : CONTINUATION), bytes.subarray(from, to))
      from = to
      if (!isLast && random() < 0.4) this.#addControl()
    }
  }

  #addControl(): void {
    const random = this.#random
    if (random() < 0.3) this.#add(PONG, randomBytes(random, pick(random, [0, 1, 125])))
    // Each is answered by what it has. Empty pongs come unasked, too.
    else this.#add(PING, randomBytes(random, pick(random, [1, 4, 125])))
  }

  #add(first: number, payload: Uint8Array = new Uint8Array(0), changes: Partial<Frame> = {}): void {
    const random = this.#random
    const frame: Frame = {
      first,
      isMasked: this.#isMasked,
      key: random() < 0.1 ? new Uint8Array(4) : randomBytes(random, 4),
      payload,
      // Control frames have no longer lengths.
      lengthBytes: first & 0x08 || random() < 0.9 ? 0 : pick(random, [2, 8] as const),
      excess: 0,
      cut: undefined,
      ...changes,
    }
    this.all.push(frame)
    const [bytes] = chunksOf([frame])
    this.ends.push((this.ends.at(-1) ?? 0) + (bytes?.length ?? 0))
  }
}

function goodbye(code: number, reason = ''): Buffer {
  const bytes = Buffer.alloc(2 + Buffer.byteLength(reason))
  bytes.writeUInt16BE(code)
  bytes.write(reason, 2)
  return bytes
}
