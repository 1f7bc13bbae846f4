import { encode } from '@msgpack/msgpack'

/** Frames that no peer of good will sends: valid messages with one thing or another gone wrong. */

type Random = () => number

const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  0.5,
  1e308,
  -1e308,
  2 ** 53,
  '',
  '1',
  'rpc:1',
  '__proto__',
  'constructor',
  'x'.repeat(300),
  [],
  {},
  [[]],
  { __proto__: null, toString: 1 },
  [null, 1, 'a'],
]

const NAMES = [
  'add',
  'hang',
  'note',
  'count',
  'sum',
  'rpc.hello',
  'rpc.ack',
  'rpc.bye',
  'rpc.ping',
  'rpc.pong',
  'rpc.cancel',
  'rpc.item',
  'rpc.credit',
  'rpc.input',
  'rpc.input.end',
  'rpc.input.credit',
  'rpc.progress',
  'rpc.discover',
  '$/cancelRequest',
  '_ping_',
  '__proto__',
  'constructor',
  'toString',
  '',
]

const MEMBERS = [
  'jsonrpc',
  'id',
  'method',
  'params',
  'result',
  'error',
  'rpc',
  '__proto__',
  'extra',
]

export class HostileFrames {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** The next, as it goes into a frame of text, or of bytes. */
  next(codec: 'json' | 'msgpack' | 'python'): string | Uint8Array {
    const message = this.#message(codec)
    if (codec === 'msgpack') return this.#brokenBytes(this.#encoded(message))
    const text = JSON.stringify(message) ?? 'undefined'
    const pick = this.#random()
    if (pick < 0.6) return text
    if (pick < 0.85) return this.#brokenText(text)
    if (pick < 0.9) return '['.repeat(this.#below(2_000))
    if (pick < 0.95) return this.#bytes(this.#below(64))
    return new TextEncoder().encode(this.#brokenText(text))
  }

  #message(codec: 'json' | 'msgpack' | 'python'): unknown {
    const pick = this.#random()
    if (pick < 0.1) return Array.from({ length: this.#below(6) }, () => this.#one())
    if (codec === 'python' && pick < 0.6) return this.#python()
    return this.#one()
  }

  #one(): unknown {
    const message: Record<string, unknown> = { jsonrpc: '2.0' }
    if (this.#random() < 0.7) message.id = this.#id()
    const kind = this.#random()
    if (kind < 0.6) {
      message.method = this.#of(NAMES)
      message.params = this.#params()
    } else if (kind < 0.8) message.result = this.#value()
    else message.error = this.#random() < 0.5 ? { code: -32000, message: 'x' } : this.#value()
    if (this.#random() < 0.2) message.rpc = this.#extras()
    for (let times = this.#below(3); times > 0; times--) this.#spoil(message)
    return this.#random() < 0.05 ? this.#value() : message
  }

  #python(): unknown {
    const request = { method: this.#of(NAMES), arguments: this.#params(), call_id: this.#id() }
    const response = { result: this.#value(), result_type: 'int', call_id: this.#id() }
    const message: Record<string, unknown> =
      this.#random() < 0.5 ? { request, response: null } : { request: null, response }
    if (this.#random() < 0.4) this.#spoil(message)
    return message
  }

  #params(): unknown {
    const pick = this.#random()
    if (pick < 0.3) return { a: 1, b: 2 }
    if (pick < 0.4) {
      const hello = { v: 1, attempt: this.#below(5), codec: 'json', limits: { msg: this.#value() } }
      const resume = { sid: this.#value(), token: this.#value(), recv: this.#value() }
      return this.#random() < 0.5 ? hello : { ...hello, limits: { msg: 9, buf: 9 }, resume }
    }
    if (pick < 0.5) return [this.#value()]
    if (pick < 0.6) return { id: this.#id() }
    if (pick < 0.75) return { id: this.#id(), n: this.#amount(), value: this.#value() }
    if (pick < 0.8) return { recv: this.#value(), retryAfterMs: this.#value() }
    return this.#value()
  }

  #extras(): unknown {
    const announced = {
      at: this.#random() < 0.5 ? ['params', 'a'] : this.#value(),
      size: this.#value(),
    }
    return this.#of([
      { bytes: [announced] },
      { bytes: this.#value() },
      { ran: false },
      { key: this.#value() },
      { credit: this.#amount() },
      { input: true },
      { credit: this.#amount(), input: this.#value() },
      { deadlineMs: this.#value(), progress: this.#value(), meta: this.#value() },
    ])
  }

  /** More often one that may be: those that may not end the connection. */
  #amount(): unknown {
    return this.#random() < 0.8 ? this.#below(40) : this.#value()
  }

  #id(): unknown {
    return this.#random() < 0.6 ? this.#below(5) : this.#value()
  }

  #spoil(message: Record<string, unknown>): void {
    const member = this.#of(MEMBERS)
    if (this.#random() < 0.3) delete message[member]
    else
      Object.defineProperty(message, member, {
        value: this.#value(),
        enumerable: true,
        configurable: true,
        writable: true,
      })
  }

  #brokenText(text: string): string {
    const at = this.#below(text.length)
    const pick = this.#random()
    if (pick < 0.3) return text.slice(0, at)
    if (pick < 0.6) return text.slice(0, at) + text.slice(at + 1)
    if (pick < 0.8)
      return (
        text.slice(0, at) +
        this.#of(['"', '\\', '{', ']', ',', '\u0000', '\ud800']) +
        text.slice(at)
      )
    return text + text
  }

  #brokenBytes(bytes: Uint8Array): Uint8Array {
    const copy = new Uint8Array(bytes)
    const pick = this.#random()
    if (pick < 0.5) return copy
    if (pick < 0.7) return copy.slice(0, this.#below(copy.length))
    if (pick < 0.75) return this.#bytes(this.#below(64))
    copy[this.#below(copy.length)] = this.#below(256)
    return copy
  }

  #encoded(message: unknown): Uint8Array {
    try {
      return encode(message)
    } catch {
      return this.#bytes(8)
    }
  }

  #bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#below(256))
  }

  #value(): unknown {
    return this.#of(VALUES)
  }

  #of<T>(values: readonly T[]): T {
    return values[this.#below(values.length)] as T
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }
}
