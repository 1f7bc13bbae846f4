import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createEndpoint } from '@flashrpc/core/server'
import { createFaultProxy } from '@flashrpc/core/testing'
import { expect, test } from 'vitest'
import { GuidePage } from './guide-page.ts'

/** What docs/guide/streams.md shows is run in Node; its page is in guide-pages.test.ts. */

const MIB = 1024 * 1024

test('the client takes a stream, sends a large file, and is asked for photos', async () => {
  await using guide = new GuidePage('docs/guide/streams.md')
  guide.write('contract.ts')
  const { program: server, port } = await guide.serve('server.ts')
  const size = 5 * MIB + 1
  writeFileSync(join(guide.folder, 'holiday.jpg'), randomBytes(size))
  guide.write('client.ts', { ':8000': `:${port}` })
  const client = guide.run('client.ts')
  expect(await client.ended).toBe(0)
  const counted = Array.from({ length: 11 }, (_, n) => n)
  expect(client.output().trim().split('\n')).toEqual([...counted, size, 'A', 'B'].map(String))
  await server.prints(new RegExp(`nobody listens any more[^]*holiday.jpg ${size}`))
  await server.prints(/^3$/m)
})

test('a stream that is cut off goes on from where it was', async () => {
  await using guide = new GuidePage('docs/guide/streams.md')
  const endpoint = createEndpoint<{ lines(params: { from: number }): AsyncIterable<string> }>({
    methods: {
      async *lines({ from }) {
        for (let n = from; n < 1_000; n++) yield `line ${n}`
      },
    },
  })
  await using _endpoint = { [Symbol.asyncDispose]: () => endpoint.close() }
  await using proxy = await createFaultProxy({ port: (await endpoint.listen()).port })
  proxy.cutAfter({ down: 20_000, once: true })
  guide.write('again.ts', { "'ws://127.0.0.1:8000'": `'${proxy.url()}'` })
  const client = guide.run('again.ts')
  expect(await client.ended).toBe(0)
  const lines = client.output().trim().split('\n')
  expect(lines.filter((line) => line.startsWith('cut off'))).toEqual([
    expect.stringMatching(/^cut off after (\d+) lines; \1 in all$/),
  ])
  expect(lines.filter((line) => line.startsWith('line'))).toEqual(
    Array.from({ length: 1_000 }, (_, n) => `line ${n}`),
  )
})
