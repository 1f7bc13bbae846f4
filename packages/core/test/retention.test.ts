import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createClient } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { expect, test } from 'vitest'

interface Row {
  id: number
  name: string
}

const ROWS: Row[] = Array.from({ length: 500 }, (_, id) => ({ id, name: `item ${id}` }))
const IN_FLIGHT = 16
const CALLS = 2_000
/** What the answers take together is more than ten times as much. */
const MOST = 10 * 1024 * 1024

/** Everything, once: what is open then is old from then on. */
function collect(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

/** What only a whole collection can take away, in bytes. */
function oldBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'old_space')
    ?.space_used_size as number
}

test.each([
  ['calls', {}, {}],
  ['calls of a session', { resume: {} }, {}],
  ['calls that share a signal', {}, { signal: new AbortController().signal }],
])('what is answered to %s does not outlive young collections', async (_, options, callOptions) => {
  await using endpoint = createEndpoint<{ rows(): Promise<Row[]> }>({
    methods: { rows: async () => ROWS },
    ...options,
  })
  const { url } = await endpoint.listen()
  await using client = createClient<{ rows(): Promise<Row[]> }>({ url })
  await client.connect()

  let left = CALLS
  let received = 0
  let grown = 0
  let before = oldBytes()
  const callOn = async () => {
    while (left-- > 0) {
      const { length } = await client.other.rows(undefined, callOptions)
      received += length
      // With calls in flight, and tables of them.
      if (left === CALLS - 5 * IN_FLIGHT) {
        collect()
        before = oldBytes()
      }
      grown = Math.max(grown, oldBytes() - before)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, callOn))
  expect(received).toBe(CALLS * ROWS.length)
  expect(grown).toBeLessThan(MOST)
})
