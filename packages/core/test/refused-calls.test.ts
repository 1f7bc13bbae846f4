import { createClient } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { polled } from './support/eventually.js'

/**
 * Calls that can't be sent, or answered, among others of their turn, both ways, in a session that is cut: the others are
 * answered, each runs at most once, and none is left hanging.
 *
 * A failure is shrunk, and printed with its seed: FLASHRPC_PROPERTY_SEED replays it, and FLASHRPC_PROPERTY_RUNS says how
 * many runs there are.
 */
const { FLASHRPC_PROPERTY_SEED, FLASHRPC_PROPERTY_RUNS } = process.env
const RUNS = {
  numRuns: Number(FLASHRPC_PROPERTY_RUNS ?? 20),
  seed: Number(FLASHRPC_PROPERTY_SEED ?? 1_000),
}

interface Run {
  run(params: { key: number; value?: unknown; gives?: string }): unknown
}

function nest(levels: number, bottom: unknown): unknown {
  let value = bottom
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

const bytes = () => new Uint8Array(3)

/** Values that no message carries to a side with the limits below. */
const VALUES: Readonly<Record<string, () => unknown>> = {
  deep: () => nest(60, 1),
  'deep with bytes': () => nest(60, bytes()),
  large: () => 'x'.repeat(40_000),
  'large with bytes': () => new Uint8Array(40_000),
  bigint: () => 1n,
  'shared memory': () => new SharedArrayBuffer(2),
}

const limits = { depth: 40, message: 32 * 1024 }

type Step = { readonly by: 'client' | 'server'; readonly what: string }

const step = fc.record({
  by: fc.constantFrom('client' as const, 'server' as const),
  what: fc.oneof(
    fc.constantFrom('good', 'good with bytes'),
    fc.constantFrom(...Object.keys(VALUES)).map((name) => `sends ${name}`),
    fc.constantFrom(...Object.keys(VALUES)).map((name) => `is given ${name}`),
  ),
})
const turn = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 10 }),
  isCut: fc.boolean(),
})

test('calls that are refused take no others along, over cuts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 6 }), async (turns) => {
      const ran: number[] = []
      const methods = {
        run: ({ key, value, gives }: { key: number; value?: unknown; gives?: string }) => {
          ran.push(key)
          return gives === undefined ? { key, value } : VALUES[gives]?.()
        },
      }
      await using endpoint = createEndpoint<Run, Run>({ resume: {}, limits, methods })
      const { port } = await endpoint.listen()
      await using proxy = await createFaultProxy({ port })
      await using client = createClient<Run, Run>({
        url: proxy.url(),
        retry: { minDelayMs: 1, maxDelayMs: 5 },
        timeout: 20_000,
        limits,
        methods,
      })
      await client.connect()
      const [channel] = endpoint.channels
      if (!channel) throw new Error('There is no channel')

      const ends: Promise<{ key: number; what: string; how: string }>[] = []
      const begin = ({ by, what }: Step) => {
        const key = ends.length
        const value = what === 'good with bytes' ? bytes() : VALUES[what.slice('sends '.length)]?.()
        const gives = what.startsWith('is given ') ? what.slice('is given '.length) : undefined
        const params = { key, ...(gives === undefined ? { value } : { gives }) }
        const end = by === 'client' ? client.other.run(params) : channel.other.run(params)
        ends.push(
          end.then(
            () => ({ key, what, how: 'value' }),
            ({ outcome, code }) => ({ key, what, how: outcome ?? String(code) }),
          ),
        )
      }
      for (const { steps, isCut } of turns) {
        for (const each of steps) begin(each)
        if (!isCut) continue
        // Whatever has left by then, and come.
        await new Promise((resolve) => setImmediate(resolve))
        proxy.cut()
      }
      for (const { key, what, how } of await Promise.all(ends)) {
        const times = ran.filter((one) => one === key).length
        const told = `call ${key}, which ${what}, ended as ${how} and ran ${times} times`
        if (what.startsWith('good')) expect([how, times], told).toEqual(['value', 1])
        else if (what.startsWith('sends')) expect([how, times], told).toEqual(['not-sent', 0])
        else {
          expect(['-32603', '-32003', 'maybe-executed'], told).toContain(how)
          expect(times, told).toBe(1)
        }
      }
      await polled(() => client.state.status).toBe('connected')
      expect(endpoint.channels.size).toBe(1)
    }),
    RUNS,
  )
}, 60_000)
