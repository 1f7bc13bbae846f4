import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { forkProgram } from './support/fork-program.js'

/** What V8 still makes of what is new to it. What is made with each message of a kind is made 200 times at the least. */
const MOST = 100

test.each([
  ['calls, with bytes or without', new URL('support/steady-process.ts', import.meta.url)],
  [
    'connections of a server, with sessions or without',
    new URL('support/steady-connections-process.ts', import.meta.url),
  ],
])(
  '%s make no hidden classes once their kinds are known',
  { timeout: 60_000 },
  async (_, program) => {
    const folder = await mkdtemp(join(tmpdir(), 'flashrpc-'))
    const log = join(folder, 'v8.log')
    const flags = [
      '--log-maps',
      '--no-log-maps-details',
      `--logfile=${log}`,
      '--no-logfile-per-isolate',
    ]
    const child = forkProgram(program, { flags })
    onTestFinished(async () => {
      child.kill('SIGKILL')
      await rm(folder, { recursive: true })
    })
    expect(await once(child, 'exit')).toEqual([0, null])
    const lines = (await readFile(log, 'utf8')).split('\n')
    const at = (mark: string) => lines.findIndex((line) => line.endsWith(`,${mark}`))
    const [begin, end] = [at('beginMark'), at('endMark')]
    expect(begin).toBeGreaterThan(0)
    expect(end).toBeGreaterThan(begin)
    const made = lines.slice(begin, end).filter(isTransition)
    expect(made.length, made.slice(-5).join('\n')).toBeLessThan(MOST)
  },
)

/** Members of Node's own, of each AbortController and of the options of each socket. */
const OF_NODE =
  /,(symbol\("k(Aborted|Reason|Composite)".*|emitClose|autoDestroy|decodeStrings|allowHalfOpen)$/

/** To an object with one member more. */
function isTransition(line: string): boolean {
  return line.startsWith('map,Transition,') && !OF_NODE.test(line)
}
