import type { CloseInfo } from '../transport/transport.js'
import type { Frame } from '../wire/codec.js'
import { readBundle } from './bundle.js'
import { isSize } from './checks.js'
import { GAP, Pipe, type PipeHead, type PipeKind, type PipeMessage, type PipePost } from './pipe.js'

/** All pipes of one kind between this node and others. */
export class Pipes {
  readonly #kind: PipeKind
  readonly #post: PipePost
  readonly #asked: (pipe: Pipe, what: unknown) => void
  /** Those that this node has opened. */
  readonly #opened = new Map<number, Pipe>()
  /** Those that other nodes have opened, by their node. */
  readonly #accepted = new Map<string, Map<number, Pipe>>()
  #count = 0
  /** Those that ended when the engine went down. Their other ends are told when it is up again. */
  #endedWhileDown: Pipe[] = []

  /** @param asked called when another node opens one: it must be accepted or refused. */
  constructor(kind: PipeKind, post: PipePost, asked: (pipe: Pipe, what: unknown) => void) {
    this.#kind = kind
    this.#post = post
    this.#asked = asked
  }

  /** How many there are. */
  get size(): number {
    let size = this.#opened.size
    for (const pipes of this.#accepted.values()) size += pipes.size
    return size
  }

  /** How many this node has opened. */
  get openedSize(): number {
    return this.#opened.size
  }

  /** The nodes at the other ends. */
  nodes(): Set<string> {
    return new Set([
      ...this.#accepted.keys(),
      ...[...this.#opened.values()].map(({ node }) => node),
    ])
  }

  /** Makes one to a node, which is to be opened by its `open`. @param ended called when it has ended. */
  to(node: string, ended = () => {}): Pipe {
    this.#count = (this.#count + 1) >>> 0
    const number = this.#count
    const pipe = new Pipe({ node, number, isOpener: true }, this.#kind, this.#post, () => {
      this.#opened.delete(number)
      ended()
    })
    this.#opened.set(number, pipe)
    return pipe
  }

  /** Takes what has come of a node in one message. */
  hearAll(node: string, bundle: Frame): void {
    for (const message of readBundle(node, bundle)) this.hear(message)
  }

  hear({ node, seq, head, body }: PipeMessage): void {
    if (!isPipeHead(head)) return
    const { l: number, to, is } = head
    if (to === 'up' && is === 'open') this.#begin(node, number)
    const pipe = to === 'down' ? this.#opened.get(number) : this.#accepted.get(node)?.get(number)
    if (pipe?.node === node) {
      pipe.hear(seq, head, body)
      if (is === 'open' && pipe.isOpen) this.#asked(pipe, head.what)
      return
    }
    // It has ended here, and the other end does not know it yet.
    if (is === 'end') return
    this.#tellEnd(node, number, to === 'up' ? 'down' : 'up')
  }

  #tellEnd(node: string, number: number, to: PipeHead['to']): void {
    this.#post.send(node, 0, { l: number, to, is: 'end', ...GAP })
  }

  /** The engine is down: messages may be lost, and all pipes end. */
  down(info: CloseInfo): void {
    this.#endedWhileDown = this.#all()
    this.endAll(info)
  }

  /** The engine is up again. */
  up(): void {
    for (const { node, number, isOpener } of this.#endedWhileDown.splice(0)) {
      this.#tellEnd(node, number, isOpener ? 'up' : 'down')
    }
  }

  /** All of them end. */
  endAll(info: CloseInfo): void {
    for (const pipe of this.#all()) pipe.end(info)
  }

  /** Those with this node end. */
  endOf(node: string, info: CloseInfo): void {
    for (const pipe of this.#all()) if (pipe.node === node) pipe.end(info)
  }

  #all(): Pipe[] {
    return [
      ...this.#opened.values(),
      ...[...this.#accepted.values()].flatMap((pipes) => [...pipes.values()]),
    ]
  }

  #begin(node: string, number: number): void {
    let pipes = this.#accepted.get(node)
    if (!pipes) {
      pipes = new Map()
      this.#accepted.set(node, pipes)
    }
    const all = pipes
    if (all.has(number)) return
    const pipe = new Pipe({ node, number, isOpener: false }, this.#kind, this.#post, () => {
      all.delete(number)
      if (all.size === 0 && this.#accepted.get(node) === all) this.#accepted.delete(node)
    })
    all.set(number, pipe)
  }
}

const STEPS: ReadonlySet<unknown> = new Set([undefined, 'open', 'ok', 'credit', 'sign', 'end'])

/** Checks the head of a message of another node. If it is wrong, the message is dropped. */
function isPipeHead(head: unknown): head is PipeHead {
  const {
    l,
    to,
    is,
    bytes = 0,
    passed = [0, 0],
    code = 0,
    reason = '',
  } = (head ?? {}) as Readonly<Record<string, unknown>>
  return (
    isSize(l) &&
    (to === 'up' || to === 'down') &&
    STEPS.has(is) &&
    isSize(bytes) &&
    Array.isArray(passed) &&
    passed.length === 2 &&
    passed.every(isSize) &&
    isSize(code) &&
    typeof reason === 'string'
  )
}
