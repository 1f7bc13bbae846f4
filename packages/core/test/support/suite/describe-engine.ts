import { setTimeout as sleep } from 'node:timers/promises'
import { RpcConfigError, RpcDisconnectedError } from '@flashrpc/core'
import type { ClusterEngine } from '@flashrpc/core/cluster'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { eventually } from '../eventually.js'
import { EngineNode } from './engine-node.js'

/** A messaging system under test. */
export interface EngineBench {
  /** Makes the engine of one more node. */
  engine(): ClusterEngine
}

/** One that can be killed, and started again where it was. */
export interface KillableBench extends EngineBench {
  kill(): Promise<void>
  restart(): Promise<void>
}

/** One whose server can be stopped, and let go on. */
export interface SilentBench extends EngineBench {
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
}

const ROUNDS = 2_000
/** How many rounds of a race go on at a time. */
const AT_A_TIME = 20

/** What every engine of a cluster does, whichever messaging system is behind it. */
export function describeEngine(name: string, open: () => Promise<EngineBench>): void {
  const { node, subject } = nodesOf(open)

  describe(`${name}: messages`, () => {
    test('reach all others that are subscribed, never the node itself', async () => {
      const [one, two, three] = [await node(), await node(), await node()]
      for (const each of [one, two]) each.subscribe(subject('room'))
      await Promise.all([one.settled(), two.settled()])
      one.publish(subject('room'), 'from one')
      three.publish(subject('room'), 'from three')
      await eventually(() => expect(two.told).toHaveLength(2))
      await eventually(() => expect(one.told).toHaveLength(1))
      await one.settled()
      expect(one.textsOf(subject('room'))).toStrictEqual(['from three'])
      expect(two.textsOf(subject('room')).toSorted()).toStrictEqual(['from one', 'from three'])
      expect(three.told).toStrictEqual([])
    })

    test('of one node arrive in order, across subjects', async () => {
      const [one, two, receiver] = [await node(), await node(), await node()]
      const subjects = ['a', 'b', 'c', 'd'].map(subject)
      for (const each of subjects) receiver.subscribe(each)
      await receiver.settled()
      const count = 2_000
      for (let i = 0; i < count; i++) {
        for (const [from, publisher] of [one, two].entries()) {
          publisher.publish(subjects[(i * 7 + from) % subjects.length] ?? '', `${from} ${i}`)
        }
        if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      await eventually(() => expect(receiver.told).toHaveLength(2 * count))
      for (const from of ['0', '1']) {
        const numbers = receiver.told
          .map(([, text]) => text.split(' '))
          .filter(([publisher]) => publisher === from)
          .map(([, number]) => Number(number))
        expect(numbers).toStrictEqual(Array.from({ length: count }, (_, i) => i))
      }
    })

    test('are carried byte by byte, from none to the most', async () => {
      const [one, two] = [await node(), await node()]
      two.subscribe(subject('bytes'))
      await two.settled()
      const all = Uint8Array.from({ length: 256 }, (_, i) => i)
      const large = new Uint8Array(one.engine.maxPayload).map((_, i) => (i * 31) % 251)
      const got: Uint8Array[] = []
      two.onMessage = (_, payload) => got.push(payload)
      for (const payload of [new Uint8Array(), all, all.subarray(13, 17), large]) {
        one.publish(subject('bytes'), payload)
      }
      await eventually(() => expect(got).toHaveLength(4))
      expect(got.map((payload) => payload.byteLength)).toStrictEqual([0, 256, 4, large.length])
      expect(got[1]).toStrictEqual(new Uint8Array(all))
      expect([...(got[2] ?? [])]).toStrictEqual([13, 14, 15, 16])
      expect(Buffer.compare(got[3] ?? new Uint8Array(), large)).toBe(0)
    })

    test('over maxPayload are refused, and harm nothing', async () => {
      const [one, two] = [await node(), await node()]
      two.subscribe(subject('bytes'))
      await two.settled()
      const tooLarge = new Uint8Array(one.engine.maxPayload + 1)
      expect(() => one.publish(subject('bytes'), tooLarge)).toThrow(RpcConfigError)
      expect(() => one.publish(subject('bytes'), tooLarge)).toThrow(/carries \d+ bytes a message/)
      one.publish(subject('bytes'), 'small')
      await eventually(() => expect(two.textsOf(subject('bytes'))).toStrictEqual(['small']))
      expect(one.states).toStrictEqual(['up'])
    })

    test('are counted until they have left', async () => {
      const one = await node()
      expect(one.engine.bufferedBytes).toBe(0)
      const payload = new Uint8Array(100_000)
      for (let i = 0; i < 20; i++) one.publish(subject('bytes'), payload)
      expect(one.engine.bufferedBytes).toBeGreaterThanOrEqual(2_000_000)
      // By itself: nobody calls barrier().
      await eventually(() => expect(one.engine.bufferedBytes).toBe(0))
    })
  })

  describe(`${name}: subjects`, () => {
    test.each([
      '',
      '*',
      '>',
      'room.*',
      'room.>',
      'room?',
      'room[ab]',
      'two words',
      'Room',
      'room\r\nPUB x 1',
      'räume',
      'x'.repeat(129),
    ])('%j is refused wherever a subject is named', async (wrong) => {
      const one = await node()
      expect(() => one.publish(wrong, 'text')).toThrow(RpcConfigError)
      expect(() => one.subscribe(wrong)).toThrow(RpcConfigError)
      await expect((async () => one.engine.reach(wrong, 10))()).rejects.toThrow(RpcConfigError)
      expect(one.states).toStrictEqual(['up'])
    })

    test('stand for themselves only', async () => {
      const [one, two] = [await node(), await node()]
      two.subscribe(subject('room'))
      two.subscribe(subject('room.a'))
      await two.settled()
      for (const name of ['room.b', 'roo', 'rooms', 'room.a.b']) one.publish(subject(name), name)
      one.publish(subject('room.a'), 'a')
      await eventually(() => expect(two.told).toHaveLength(1))
      expect(two.told).toStrictEqual([[subject('room.a'), 'a']])
    })

    test('are told of once however often they are subscribed, until the last has left', async () => {
      const [one, two] = [await node(), await node()]
      const leave = two.subscribe(subject('room'))
      const leaveLast = two.subscribe(subject('room'))
      await two.settled()
      one.publish(subject('room'), 'first')
      await eventually(() => expect(two.told).toHaveLength(1))
      leave()
      leave()
      await two.settled()
      one.publish(subject('room'), 'second')
      await eventually(() => expect(two.told).toHaveLength(2))
      leaveLast()
      await two.settled()
      two.subscribe(subject('end'))
      await two.settled()
      one.publish(subject('room'), 'third')
      one.publish(subject('end'), 'end')
      await eventually(() => expect(two.textsOf(subject('end'))).toStrictEqual(['end']))
      expect(two.textsOf(subject('room'))).toStrictEqual(['first', 'second'])
    })

    test('are not told of once they were left, whatever is on its way', async () => {
      const [one, two] = [await node(), await node()]
      let leave = () => {}
      two.onMessage = (_, payload) => {
        if (payload.byteLength === 3) leave()
      }
      leave = two.subscribe(subject('room'))
      await two.settled()
      for (const length of [1, 2, 3, 4, 5]) one.publish(subject('room'), 'x'.repeat(length))
      await one.settled()
      await two.settled()
      expect(two.textsOf(subject('room'))).toStrictEqual(['x', 'xx', 'xxx'])
    })
  })

  describe(`${name}: barrier()`, () => {
    test('resolves after all that others had published before', async () => {
      const [one, two] = [await node(), await node()]
      two.subscribe(subject('room'))
      await two.settled()
      for (let round = 1; round <= 50; round++) {
        for (let i = 0; i < 10; i++) one.publish(subject('room'), `${round}`)
        await one.settled()
        two.publish(subject('nobody'), '')
        await two.engine.barrier()
        expect(two.told).toHaveLength(round * 10)
      }
    })

    test(`whoever got a message is known to its publisher, in ${ROUNDS} raced joins`, async () => {
      await raceJoins(await node(), await node(), subject)
    })

    test('a subscription has ended once others are told so', async () => {
      const [caller, callee] = [await node(), await node()]
      caller.subscribe(subject('x'))
      await caller.settled()
      for (let i = 0; i < 50; i++) {
        const topic = subject(`t.${i}`)
        callee.subscribe(topic)()
        callee.publish(subject('x'), topic)
        await eventually(() => expect(caller.told).toHaveLength(i + 1))
        expect(await caller.engine.reach(topic, 5_000)).toBe('no')
      }
    })
  })

  describe(`${name}: reach()`, () => {
    test('is yes for another node that is subscribed, which is told nothing', async () => {
      const [one, two, three] = [await node(), await node(), await node()]
      two.subscribe(subject('probe'))
      three.subscribe(subject('probe'))
      await Promise.all([two.settled(), three.settled()])
      expect(await one.engine.reach(subject('probe'), 5_000)).toBe('yes')
      expect(await two.engine.reach(subject('probe'), 5_000)).toBe('yes')
      await two.settled()
      expect([...two.told, ...three.told]).toStrictEqual([])
    })

    test('is no if nobody is, or only the node itself', async () => {
      const [one, two] = [await node(), await node()]
      expect(await one.engine.reach(subject('probe'), 5_000)).toBe('no')
      one.subscribe(subject('probe'))
      await one.settled()
      expect(await one.engine.reach(subject('probe'), 5_000)).toBe('no')
      expect(await two.engine.reach(subject('probe'), 5_000)).toBe('yes')
    })

    test('is no once the last has left, or was stopped', async () => {
      const [one, two, three] = [await node(), await node(), await node()]
      const leave = two.subscribe(subject('probe'))
      three.subscribe(subject('probe'))
      await Promise.all([two.settled(), three.settled()])
      leave()
      await two.settled()
      expect(await one.engine.reach(subject('probe'), 5_000)).toBe('yes')
      await three.engine.stop()
      await eventually(async () => {
        expect(await one.engine.reach(subject('probe'), 5_000)).toBe('no')
      })
    })
  })

  describe(`${name}: its life`, () => {
    test('is down before it is started: nothing is sent, and it says so', async () => {
      const [one, two] = [idle(), await node()]
      two.subscribe(subject('room'))
      await two.settled()
      expect(rejectedBy(() => one.publish(subject('room'), 'early'))).toMatchObject({
        outcome: 'not-sent',
        message: expect.stringContaining('was not started'),
      })
      await expect(one.engine.barrier()).rejects.toBeInstanceOf(RpcDisconnectedError)
      expect(await one.engine.reach(subject('room'), 5_000)).toBe('unknown')
      one.subscribe(subject('mine'))
      await one.start()
      two.publish(subject('mine'), 'before start')
      one.publish(subject('room'), 'late')
      await eventually(() => expect(two.told).toHaveLength(1))
      await eventually(() => expect(one.told).toHaveLength(1))
      expect(two.textsOf(subject('room'))).toStrictEqual(['late'])
    })

    test('stop() lets out what was published, and tells nothing more', async () => {
      const [one, two] = [await node(), await node()]
      for (const each of [one, two]) each.subscribe(subject('room'))
      await Promise.all([one.settled(), two.settled()])
      for (let i = 0; i < 100; i++) one.publish(subject('room'), String(i))
      await Promise.all([one.engine.stop(), one.engine.stop()])
      await one.engine.stop()
      await eventually(() => expect(two.told).toHaveLength(100))
      two.publish(subject('room'), 'after the stop')
      await two.settled()
      expect(one.told).toStrictEqual([])
      expect(one.states).toStrictEqual(['up'])
      expect(rejectedBy(() => one.publish(subject('room'), 'late'))).toMatchObject({
        outcome: 'not-sent',
        message: expect.stringContaining('was stopped'),
      })
      await expect(one.engine.barrier()).rejects.toBeInstanceOf(RpcDisconnectedError)
      expect(await one.engine.reach(subject('room'), 5_000)).toBe('unknown')
    })

    test('stop() before the start is harmless', async () => {
      const one = idle()
      await one.engine.stop()
      expect(one.states).toStrictEqual([])
    })
  })

  function idle(): EngineNode {
    return node.idle()
  }
}

/**
 * One node joins subjects while another publishes to them, in many rounds: whoever got the message is known to its publisher
 * after a barrier.
 *
 * @param waitMs up to how long the publisher waits, if the connections are slow.
 */
export async function raceJoins(
  caller: EngineNode,
  callee: EngineNode,
  subject: (name: string) => string,
  { rounds = ROUNDS, waitMs = 0 } = {},
): Promise<void> {
  const known = new Set<string>()
  caller.onMessage = () => known.add(caller.told.at(-1)?.[1] ?? '')
  const reached = new Set<string>()
  callee.onMessage = (topic) => reached.add(topic)
  caller.subscribe(subject('x'))
  await caller.settled()
  // Until it is known to the callee's server.
  await eventually(async () => {
    expect(await callee.engine.reach(subject('x'), 1_000)).toBe('yes')
  })
  const unknown: string[] = []
  let inTime = 0
  const round = async (i: number) => {
    const topic = subject(`t.${i}`)
    const join = async () => {
      if (i % 3 === 0) await turns(Math.random() * 4)
      callee.publish(subject('x'), topic)
      return callee.subscribe(topic)
    }
    const call = async () => {
      if (waitMs > 0) await sleep(Math.random() * waitMs)
      else await turns(Math.random() * 4)
      caller.publish(topic, 'call')
      await caller.engine.barrier()
      return known.has(topic)
    }
    const [leave, knew] = await Promise.all([join(), call()])
    await callee.engine.barrier()
    if (reached.has(topic)) inTime++
    if (reached.has(topic) && !knew) unknown.push(topic)
    leave()
  }
  for (let i = 0; i < rounds; i += AT_A_TIME) {
    await Promise.all(Array.from({ length: AT_A_TIME }, (_, k) => round(i + k)))
  }
  expect(unknown).toStrictEqual([])
  // It was a race: some were in time, some were not.
  expect(inTime).toBeGreaterThan(0)
  expect(inTime).toBeLessThan(rounds)
}

/** What every engine does while its messaging system is away. */
export function describeOutages(name: string, open: () => Promise<KillableBench>): void {
  const { node, subject, bench } = nodesOf(open)

  describe(`${name}: while the messaging system is away`, () => {
    // Also after a test that has failed.
    afterEach(() => bench().restart())

    test('an engine says that it is down, refuses all, and comes back with its subscriptions', async () => {
      const [one, two] = [await node(), await node()]
      two.subscribe(subject('before'))
      const leave = two.subscribe(subject('left'))
      await two.settled()
      const open = one.engine.barrier()
      await open
      await bench().kill()
      await Promise.all([one.reached(['up', 'down']), two.reached(['up', 'down'])])
      expect(rejectedBy(() => one.publish(subject('before'), 'lost'))).toMatchObject({
        outcome: 'not-sent',
        message: expect.stringMatching(/is down: \w/),
      })
      await expect(one.engine.barrier()).rejects.toBeInstanceOf(RpcDisconnectedError)
      expect(await one.engine.reach(subject('before'), 5_000)).toBe('unknown')
      expect(one.engine.bufferedBytes).toBe(0)
      two.subscribe(subject('while'))
      leave()
      await bench().restart()
      const states = ['up', 'down', 'up']
      await Promise.all([one.reached(states), two.reached(states)])
      for (const name of ['before', 'left', 'while']) one.publish(subject(name), name)
      await eventually(() => expect(two.textsOf(subject('while'))).toHaveLength(1))
      expect(two.told).toStrictEqual([
        [subject('before'), 'before'],
        [subject('while'), 'while'],
      ])
      expect(await one.engine.reach(subject('left'), 5_000)).toBe('no')
    })

    test('what was refused never arrives, all else at most once and in order', async () => {
      const [one, two] = [await node(), await node()]
      two.subscribe(subject('ledger'))
      await two.settled()
      const taken = new Set<string>()
      let refused = 0
      let isOver = false
      const publish = async () => {
        for (let i = 0; !isOver; i++) {
          try {
            one.publish(subject('ledger'), String(i))
            taken.add(String(i))
          } catch {
            refused++
          }
          if (i % 5 === 0) await new Promise((resolve) => setImmediate(resolve))
        }
      }
      const publishing = publish()
      for (const round of [1, 2, 3]) {
        const states = Array.from({ length: 2 * round + 1 }, (_, i) => (i % 2 ? 'down' : 'up'))
        await eventually(() => expect(two.told.length).toBeGreaterThan(0))
        await bench().kill()
        await Promise.all([one, two].map((each) => each.reached(states.slice(0, -1))))
        const before = two.told.length
        await bench().restart()
        await Promise.all([one, two].map((each) => each.reached(states)))
        await eventually(() => expect(two.told.length).toBeGreaterThan(before))
      }
      isOver = true
      await publishing
      const last = String(Math.max(...[...taken].map(Number)))
      await eventually(() => expect(two.told.at(-1)?.[1]).toBe(last))
      const numbers = two.textsOf(subject('ledger')).map(Number)
      expect(numbers).toStrictEqual([...new Set(numbers)].sort((a, b) => a - b))
      expect(numbers.filter((number) => !taken.has(String(number)))).toStrictEqual([])
      expect(refused).toBeGreaterThan(0)
    })

    test('barriers and probes that are under way end', async () => {
      const one = await node()
      const ends: string[] = []
      const settled = (async () => {
        while (!ends.includes('rejected')) {
          const barrier = one.engine.barrier().then(
            () => ends.push('passed'),
            (error) =>
              ends.push(error instanceof RpcDisconnectedError ? 'rejected' : String(error)),
          )
          const probe = one.engine.reach(subject('nobody'), 5_000).then((reach) => ends.push(reach))
          await Promise.all([barrier, probe])
        }
      })()
      await eventually(() => expect(ends).toContain('no'))
      await bench().kill()
      await settled
      expect(ends.filter((end) => !/^(no|passed|rejected|unknown)$/.test(end))).toStrictEqual([])
      expect(await one.engine.reach(subject('nobody'), 5_000)).toBe('unknown')
      await bench().restart()
      await one.reached(['up', 'down', 'up'])
      await one.settled()
    })

    test('it stops', async () => {
      const one = await node()
      await bench().kill()
      await one.reached(['up', 'down'])
      await one.engine.stop()
      await bench().restart()
      const two = await node()
      await two.settled()
      expect(one.states).toStrictEqual(['up', 'down'])
    })
  })
}

/** What an engine over a network does when its server is silent although its connections are there. */
export function describeSilence(name: string, open: () => Promise<SilentBench>): void {
  const { node, subject, bench } = nodesOf(open)

  test(`${name}: an engine is down while its server is silent for 3 s, and comes back`, async () => {
    const [one, two] = [await node(), await node()]
    two.subscribe(subject('room'))
    await two.settled()
    bench().signal('SIGSTOP')
    try {
      await vi.waitFor(() => expect(one.states).toStrictEqual(['up', 'down']), 10_000)
      expect(() => one.publish(subject('room'), 'lost')).toThrow(RpcDisconnectedError)
    } finally {
      bench().signal('SIGCONT')
    }
    const isUp = () => {
      for (const { states } of [one, two]) expect(states.at(-1)).toBe('up')
    }
    await vi.waitFor(isUp, 10_000)
    one.publish(subject('room'), 'again')
    await eventually(() => expect(two.textsOf(subject('room'))).toStrictEqual(['again']))
  })
}

/** The nodes of a test, on a messaging system that all tests of a suite share; and subjects of that test only. */
function nodesOf<Bench extends EngineBench>(open: () => Promise<Bench>) {
  const nodes: EngineNode[] = []
  let current: Bench | undefined
  let count = 0

  beforeEach(async () => {
    count++
    current ??= await open()
  })
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ engine }) => engine.stop()))
  })
  const bench = (): Bench => {
    if (!current) throw new Error('The messaging system is opened before each test')
    return current
  }
  const idle = (): EngineNode => {
    const made = new EngineNode(bench().engine())
    nodes.push(made)
    return made
  }
  const node = Object.assign(() => idle().start(), { idle })
  return { node, bench, subject: (name: string) => `test-${count}.${name}` }
}

function rejectedBy(run: () => void): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('It did not throw')
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}
