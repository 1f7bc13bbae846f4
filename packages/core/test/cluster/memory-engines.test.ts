import { RpcConfigError } from '@flashrpc/core'
import { memoryEngines } from '@flashrpc/core/cluster'
import { describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.js'
import { SeededNetwork } from '../support/seeded-network.js'
import { describeEngine, describeOutages } from '../support/suite/describe-engine.js'
import { EngineNode } from '../support/suite/engine-node.js'

describeEngine('memoryEngines()', async () => ({ engine: memoryEngines() }))

/** The same engines over a network with delays, which can be killed. */
const seeded = async () => {
  const network = new SeededNetwork(7, { delayMs: [0, 2] })
  return {
    engine: () => network.engine(),
    kill: async () => network.kill(),
    restart: () => network.start(),
  }
}

describeEngine('memory, with delays', seeded)
describeOutages('memory', seeded)

describe('memoryEngines()', () => {
  test('of two calls know nothing of each other', async () => {
    const one = await new EngineNode(memoryEngines()()).start()
    const other = await new EngineNode(memoryEngines()()).start()
    other.subscribe('room')
    await other.settled()
    one.publish('room', 'text')
    await one.settled()
    await other.settled()
    expect(other.told).toStrictEqual([])
    expect(await one.engine.reach('room', 1_000)).toBe('no')
  })

  test('carry as much as they are told', async () => {
    const engine = memoryEngines({ maxPayload: 10 })
    const [one, two] = [new EngineNode(engine()), new EngineNode(engine())]
    await Promise.all([one.start(), two.start()])
    two.subscribe('room')
    await two.settled()
    expect(one.engine.maxPayload).toBe(10)
    expect(() => one.publish('room', '12345678901')).toThrow(RpcConfigError)
    one.publish('room', '1234567890')
    await eventually(() => expect(two.textsOf('room')).toStrictEqual(['1234567890']))
  })

  test.each([{ maxPayload: 0 }, { maxPayload: 'large' as never }, { maxPayloads: 1 } as never])(
    'refuse %j',
    (options) => expect(() => memoryEngines(options)).toThrow(RpcConfigError),
  )
})
