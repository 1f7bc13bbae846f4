import { describe, expect, test, vi } from 'vitest'
import type { Pipe, PipeHead, PipePost } from '../../src/cluster/pipe.js'
import { Pipes } from '../../src/cluster/pipes.js'
import type { Frame } from '../../src/wire/codec.js'
import { polled } from '../support/eventually.js'

interface Message {
  readonly seq: number
  readonly head: PipeHead
  readonly body: Frame
}

/** Two nodes, `a` and `b`, whose messages can be lost, held back, or changed. */
class Wire {
  isUp = true
  /** @returns what arrives in place of a message. */
  pass: (message: Message, from: string) => readonly Message[] = (message) => [message]
  readonly said: string[] = []
  readonly a: Pipes
  readonly b: Pipes
  readonly asked: Pipe[] = []

  constructor(credit?: number) {
    const post = (from: string, to: () => Pipes): PipePost => ({
      bufferedBytes: 0,
      send: (_, seq, head, body = '') => {
        if (!this.isUp) return false
        this.said.push(`${from} ${head.is ?? 'frame'}`)
        for (const each of this.pass({ seq, head, body }, from)) {
          queueMicrotask(() => to().hear({ node: from, ...each }))
        }
        return true
      },
    })
    this.a = new Pipes(
      { credit },
      post('a', () => this.b),
      () => {},
    )
    this.b = new Pipes(
      { credit },
      post('b', () => this.a),
      (pipe, what) => {
        this.asked.push(pipe)
        if (what === 'no') pipe.refuse({ why: 'because' })
        else if (what !== 'wait') pipe.accept('welcome')
      },
    )
  }

  /** An open pipe, and what has come to its ends. */
  async open() {
    const up = this.a.to('b')
    expect(await up.open('please', 1_000)).toEqual({ isAccepted: true, what: 'welcome' })
    const down = this.asked.at(-1) as Pipe
    return { up, down, atA: heard(up), atB: heard(down) }
  }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

function heard(pipe: Pipe): unknown[] {
  const events: unknown[] = []
  pipe.start({
    frame: (frame) => events.push(frame),
    close: ({ code }) => events.push(code),
    drained: () => events.push('drained'),
    arriving: () => events.push('arriving'),
    otherFrames: (frames, bytes) => events.push([frames, bytes]),
  })
  return events
}

describe('a pipe', () => {
  test('carries text and bytes both ways, in order, and ends on both sides', async () => {
    const wire = new Wire()
    const { up, down, atA, atB } = await wire.open()
    up.send('one')
    up.send(new Uint8Array([2]))
    down.send('three')
    up.close(4000, 'enough')
    await polled(() => atB).toEqual(['one', new Uint8Array([2]), 4000])
    await polled(() => atA).toEqual([4000])
    expect(down.send('late')).toBe(false)
    expect(wire.a.size + wire.b.size).toBe(0)
  })

  test('is refused, with a reason', async () => {
    const wire = new Wire()
    const pipe = wire.a.to('b')
    const answer = { isAccepted: false, what: { why: 'because' } }
    expect(await pipe.open('no', 1_000)).toEqual(answer)
    expect(pipe.isOpen).toBe(false)
    expect(wire.a.size + wire.b.size).toBe(0)
  })

  test('is not opened if nobody answers, or the engine is down', async () => {
    const wire = new Wire()
    const pipe = wire.a.to('b')
    expect(await pipe.open('wait', 20)).toBeUndefined()
    expect(pipe.isOpen).toBe(false)
    wire.isUp = false
    expect(await wire.a.to('b').open('please', 1_000)).toBeUndefined()
    expect(wire.a.size).toBe(0)
  })

  test.each(['frame', 'credit'])('ends on both sides if a message is lost: %s', async (kind) => {
    const wire = new Wire(100)
    const { up, down, atA, atB } = await wire.open()
    let lost = 0
    wire.pass = (message, from) => {
      const isLost = (message.head.is ?? 'frame') === kind && lost === 0
      if (isLost) lost++
      return isLost && from !== '' ? [] : [message]
    }
    for (let n = 0; n < 4; n++) up.send('x'.repeat(30))
    await polled(() => lost).toBe(1)
    down.send('after')
    up.send('after')
    await polled(() => atA.at(-1)).toBe(1006)
    await polled(() => atB.at(-1)).toBe(1006)
    expect(wire.a.size + wire.b.size).toBe(0)
  })

  test('ends if a message comes twice', async () => {
    const wire = new Wire()
    const { up, atA, atB } = await wire.open()
    wire.pass = (message) => (message.head.is ? [message] : [message, message])
    up.send('once')
    await polled(() => atB).toEqual(['once', 1006])
    await polled(() => atA).toEqual([1006])
  })

  test('that has ended on one side only is ended on the other when it speaks, or when the engine is back', async () => {
    const wire = new Wire()
    const { up, atB } = await wire.open()
    up.end({ code: 1006, reason: 'the node was renewed' })
    wire.asked[0]?.send('are you there')
    await polled(() => atB).toEqual([1006])

    const second = await wire.open()
    wire.isUp = false
    wire.a.down({ code: 1006, reason: 'down' })
    wire.isUp = true
    expect(second.atB).toEqual([])
    wire.a.up()
    await polled(() => second.atB).toEqual([1006])
  })

  test('holds what is under way until the other end has taken it', async () => {
    const wire = new Wire(1_000)
    const { up, down, atA } = await wire.open()
    down.pause(true)
    up.send('x'.repeat(900))
    expect(up.bufferedBytes).toBe(900)
    expect(up.watchDrain()).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(up.bufferedBytes).toBe(900)
    down.pause(false)
    await polled(() => up.bufferedBytes).toBe(0)
    expect(atA).toEqual(['drained'])
    expect(up.watchDrain()).toBe(false)
    expect(up.hasMoved()).toBe(true)
    expect(up.hasMoved()).toBe(false)
  })

  test('gives credit for little, too, after a moment', async () => {
    const wire = new Wire(1_000)
    const { up } = await wire.open()
    up.send('little')
    await polled(() => up.bufferedBytes).toBe(0)
  })

  test('tells signs of life that are no messages, together', async () => {
    const wire = new Wire(1_000)
    const { up, atB } = await wire.open()
    up.sign()
    await polled(() => atB).toEqual(['arriving'])
    up.sign(2, 20)
    up.sign(1, 5)
    await polled(() => atB).toEqual(['arriving', [3, 25]])
    expect(wire.said.filter((each) => each === 'a sign')).toHaveLength(2)
  })

  test('that has ended sets no timer, and tells nothing', async () => {
    const wire = new Wire(100)
    const { up, down } = await wire.open()
    const late = wire.a.to('b')
    expect(await late.open('please', 1_000)).toMatchObject({ isAccepted: true })
    wire.asked.at(-1)?.send('early')
    await settle()
    const timers = vi.spyOn(globalThis, 'setTimeout')
    try {
      // Its frame is delivered after its end, and the other one is closed by the frame.
      late.close()
      heard(late)
      down.start({ frame: () => down.close(), close: () => {} })
      up.send('the last')
      await settle()
      expect([late, up, down].map(({ isOpen }) => isOpen)).toEqual([false, false, false])
      wire.said.length = 0
      for (const pipe of [late, up, down]) pipe.sign(1, 5)
      expect(timers).not.toHaveBeenCalled()
      await settle()
      expect(wire.said).toEqual([])
    } finally {
      timers.mockRestore()
    }
  })

  test('ends with its node, and no other does', async () => {
    const wire = new Wire()
    const { atA } = await wire.open()
    wire.a.endOf('c', { code: 1006, reason: 'gone' })
    expect(wire.a.size).toBe(1)
    wire.a.endOf('b', { code: 1006, reason: 'gone' })
    await polled(() => atA).toEqual([1006])
    expect(wire.a.nodes().size).toBe(0)
  })

  test('what is none of these messages is dropped', async () => {
    const wire = new Wire()
    const { atB, down } = await wire.open()
    const heads: unknown[] = [
      null,
      5,
      'text',
      {},
      { l: 1 },
      { l: 1, to: 'left' },
      { l: -1, to: 'up' },
      { l: 1.5, to: 'up' },
      { l: 1, to: 'up', is: 'nonsense' },
      { l: 1, to: 'up', is: 'credit', bytes: 'many' },
      { l: 1, to: 'up', is: 'sign', passed: [1] },
      { l: 1, to: 'up', is: 'sign', passed: [Number.NaN, 0] },
      { l: 1, to: 'up', is: 'end', code: 'x' },
      { l: 1, to: 'up', is: 'end', reason: 5 },
    ]
    for (const head of heads) wire.b.hear({ node: 'a', seq: 2, head, body: '' })
    // Another node can't speak for it.
    wire.b.hear({ node: 'c', seq: 2, head: { l: 1, to: 'up' }, body: 'hello' })
    expect(atB).toEqual([])
    expect(down.isOpen).toBe(true)
  })
})
