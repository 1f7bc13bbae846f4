import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createClient, defineContract, method, stream } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { expect, test } from 'vitest'
import { z } from 'zod'

const contract = defineContract({
  server: {
    rows: method({ params: z.object({}), result: z.array(z.unknown()) }),
    pages: stream({ params: z.object({}), item: z.array(z.unknown()) }),
  },
})
const ROWS = Array.from({ length: 500 }, (_, id) => ({ id, name: `item ${id}` }))
const methods = {
  rows: async () => ROWS,
  async *pages() {
    for (let page = 0; page < 3; page++) yield ROWS
  },
}
const AT_ONCE = 16
const TIMES = 5_000
/**
 * A third of what grows if results are held. It is more than V8 makes old when it changes the size of its young space,
 * which was 12 MiB in Node 24, however often a call is made.
 */
const MOST = 25 * 1024 * 1024

/** Everything, once: what is there then is old from then on. */
function collect(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

/** What only a whole collection can take away, in bytes. */
function oldBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'old_space')
    ?.space_used_size as number
}

/** By how much that grows at the most while something is done again and again, in bytes. */
async function growthOf(act: () => Promise<void>): Promise<number> {
  let left = TIMES
  let grown = 0
  let before = oldBytes()
  const goOn = async () => {
    while (left-- > 0) {
      await act()
      // In the middle of it, with calls open, and tables of them.
      if (left === TIMES - 5 * AT_ONCE) {
        collect()
        before = oldBytes()
      }
      grown = Math.max(grown, oldBytes() - before)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, goOn))
  return grown
}

test.each([
  ['calls', {}, {}],
  ['calls of a session', { resume: {} }, {}],
  ['calls that share a signal', {}, { signal: new AbortController().signal }],
])('what is answered to %s does not outlive young collections', async (_, options, callOptions) => {
  await using endpoint = createEndpoint(contract, { methods, ...options })
  const { url } = await endpoint.listen()
  await using client = createClient(contract, { url })
  await client.connect()
  let received = 0
  const grown = await growthOf(async () => {
    const { length } = await client.other.rows({}, callOptions)
    received += length
  })
  expect(received).toBe(TIMES * ROWS.length)
  expect(grown).toBeLessThan(MOST)
})

test('a result is let go although its session still keeps the message of the call', async () => {
  await using endpoint = createEndpoint(contract, { methods, resume: {} })
  const { url } = await endpoint.listen()
  await using client = createClient(contract, { url })
  await client.connect()
  const results = await Promise.all(
    Array.from({ length: AT_ONCE }, async () => new WeakRef(await client.other.rows({}))),
  )
  // Acknowledgements come after a second, or after more calls than these.
  await new Promise((resolve) => setTimeout(resolve, 10))
  collect()
  expect(results.filter((result) => result.deref() !== undefined)).toHaveLength(0)
})

test('an item that was sent is let go while its stream waits for credit', async () => {
  await using endpoint = createEndpoint(contract, {
    methods: {
      ...methods,
      async *pages() {
        for (;;) yield newPage()
      },
    },
  })
  const made: WeakRef<object>[] = []
  function newPage(): object[] {
    const page = [{ id: made.length }]
    made.push(new WeakRef(page))
    return page
  }
  const { url } = await endpoint.listen()
  await using client = createClient(contract, { url })
  await client.connect()
  const pages = client.other.pages({})
  await pages.next()
  // As many as there is credit for: the last one has been sent when no other one is made.
  await expect
    .poll(async () => {
      const before = made.length
      await new Promise((resolve) => setTimeout(resolve, 100))
      return made.length - before
    })
    .toBe(0)
  await expect
    .poll(() => {
      collect()
      return made.filter((page) => page.deref() !== undefined).length
    })
    .toBe(0)
  await pages.return()
})

test('the items of a stream that is left do not outlive young collections', async () => {
  await using endpoint = createEndpoint(contract, { methods })
  const { url } = await endpoint.listen()
  await using client = createClient(contract, { url })
  await client.connect()
  let received = 0
  const grown = await growthOf(async () => {
    const pages = client.other.pages({})
    const { value } = await pages.next()
    received += value?.length ?? 0
    await pages.return()
  })
  expect(received).toBe(TIMES * ROWS.length)
  expect(grown).toBeLessThan(MOST)
})
