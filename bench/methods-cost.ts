import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createChannel, defineContract, memoryTransportPair, method } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { z } from 'zod'

/** What a contract of so many methods costs at run time, within one process. */
export interface MethodsCost {
  readonly count: number
  /** To make an endpoint that has them, in ms. */
  readonly create: number
  /** Of both ends of a channel, in bytes of heap each. */
  readonly idle: number
  /** The same, once a member of `other` was read, which makes all of them. */
  readonly calling: number
  /** Calls a second of one of them, one after another. */
  readonly rate: number
}

const CHANNELS = 100
const CALLS = 50_000

export async function measureMethods(counts: readonly number[]): Promise<MethodsCost[]> {
  const costs: MethodsCost[] = []
  for (const count of counts) costs.push(await costOf(count))
  return costs
}

async function costOf(count: number): Promise<MethodsCost> {
  const names = Array.from({ length: count }, (_, n) => `method${n}`)
  const params = z.object({ n: z.number() })
  const server = Object.fromEntries(
    names.map((name) => [name, method({ params, result: z.number() })]),
  )
  const contract = defineContract({ server })
  const methods = Object.fromEntries(names.map((name) => [name, ({ n }: { n: number }) => n + 1]))
  createEndpoint(contract, { methods })
  const begin = performance.now()
  createEndpoint(contract, { methods })
  const create = performance.now() - begin

  const before = await heap()
  const clients = Array.from({ length: CHANNELS }, () => {
    const [near, far] = memoryTransportPair()
    createChannel(contract, { side: 'server', transport: far, methods })
    return createChannel(contract, { side: 'client', transport: near })
  })
  await sleep(20)
  const idle = (await heap()) - before
  for (const { other } of clients) if (!other[`method${count - 1}`]) throw new Error('no method')
  const calling = (await heap()) - before

  const call = clients[0]?.other[`method${count - 1}`] as (params: { n: number }) => Promise<number>
  const start = performance.now()
  for (let n = 0; n < CALLS; n++) if ((await call({ n })) !== n + 1) throw new Error('a wrong sum')
  const rate = (1_000 * CALLS) / (performance.now() - start)
  for (const client of clients) await client.close()
  return { count, create, idle: idle / CHANNELS, calling: calling / CHANNELS, rate }
}

/** In bytes, when nothing is left to be collected. */
async function heap(): Promise<number> {
  for (let n = 0; n < 3; n++) {
    collect()
    await sleep(20)
  }
  return process.memoryUsage().heapUsed
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
