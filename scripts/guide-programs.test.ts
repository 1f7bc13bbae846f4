import { afterEach, expect, test } from 'vitest'
import { type Program, startProgram } from '../apps/demo/test/support/program.ts'
import { GuidePage } from './guide-page.ts'

/** Servers and clients of the guide, run together as they stand: only the port is another one. */

interface Sample {
  readonly page: string
  /** What listens on a port that is written out, and what listens on any free one and says so. */
  readonly listens: Readonly<Record<string, string>>
  /** The blocks that both import. */
  readonly modules?: readonly string[]
  readonly prints: readonly RegExp[]
}

const listen = (options: string) => ({
  [`await endpoint.listen({ ${options} })`]: `console.log('port', (await endpoint.listen({ ${options.replace('8000', '0')} })).port)`,
})

const samples: readonly Sample[] = [
  {
    page: 'README',
    listens: {
      "server.listen(8000, '127.0.0.1')":
        "server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))",
    },
    modules: ['contract.ts'],
    prints: [/^Welcome!$/, /^a long report$/],
  },
  {
    page: 'discovery',
    listens: listen("port: 8000, path: '/ws'"),
    prints: [/^Sums \[ 'add' \]$/],
  },
  {
    page: 'reliability',
    listens: listen('port: 8000'),
    modules: ['contract.ts'],
    prints: [/^the report of 2026 500 to ann$/],
  },
  {
    page: 'middleware',
    listens: listen('port: 8000'),
    modules: ['contract.ts', 'logging.ts'],
    prints: [/^[0-9a-f]{32} out report: ok after \d+ ms$/, /^all of 2026$/],
  },
  {
    page: 'from-python',
    listens: {
      "server.listen(8000, '127.0.0.1')":
        "server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))",
    },
    modules: ['contract.ts'],
    prints: [/^Welcome, [0-9a-f]{32}$/, /^15$/, /^hello$/],
  },
  {
    page: 'python',
    listens: listen("port: 8000, path: '/ws'"),
    modules: ['contract.ts'],
    prints: [/^Welcome!$/, /^15$/, /^\[ \{ version: 'v1', changes: \[ 'Fix a typo' \] \} \]$/],
  },
]

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

function start(guide: GuidePage, file: string): Program {
  const args = ['tsx', '--conditions', '@flashrpc/source', file]
  const program = startProgram('--import', args, guide.folder)
  opened.push(() => program[Symbol.asyncDispose]())
  return program
}

test.each(samples)(
  '$page',
  async ({ page, listens, modules = [], prints }) => {
    const guide = new GuidePage(`docs/guide/${page}.md`)
    opened.push(() => guide[Symbol.dispose]())
    for (const name of modules) guide.write(name)
    guide.write('server.ts', listens)
    const [, port = ''] = await start(guide, 'server.ts').prints(/^port (\d+)$/m)
    guide.write('client.ts', { ':8000': `:${port}` })
    const client = start(guide, 'client.ts')
    expect(await client.ended).toBe(0)
    const lines = client.output().trim().split('\n')
    expect(lines).toEqual(prints.map((line) => expect.stringMatching(line)))
  },
  60_000,
)
