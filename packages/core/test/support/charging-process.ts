import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createEndpoint, type ResultStore } from '@flashrpc/core/server'

/** Where the process stands with a charge, as it tells its parent, which lets it go on or kills it. */
export type Point = 'before-record' | 'recorded' | 'charged' | 'answer-recorded'

/** What can be called. */
export interface Till {
  charge(params: { order: string }): string
}

/**
 * A server in a process of its own, which charges cards once per key: a folder has its store and the
 * charges that were made. Arguments: the folder, the port, and `resume` for sessions.
 */
const [folder = '', port = '0', mode] = process.argv.slice(2)

// Each call that has reached a point listens.
process.setMaxListeners(0)

async function reach(point: Point): Promise<void> {
  process.send?.(point)
  await new Promise((resolve) => process.once('message', resolve))
}

const endpoint = createEndpoint<Till>({
  ...(mode === 'resume' && { resume: {} }),
  idempotency: { store: fileStore(join(folder, 'results')) },
  methods: {
    charge: async ({ order }) => {
      appendFileSync(join(folder, 'charges'), `${order}\n`)
      await reach('charged')
      return `receipt of ${order}`
    },
  },
})
const { url } = await endpoint.listen({ port: Number(port) })
process.send?.({ url })

/** Keeps all in one file. What it read at the start without an answer was begun by a process that died. */
function fileStore(path: string): ResultStore {
  type Line = { key: string; fingerprint: string; answer?: string }
  const known = new Map<string, Line & { isOurs?: boolean }>()
  const before = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []
  for (const text of before) {
    const line: Line = JSON.parse(text)
    known.set(line.key, line)
  }
  const append = (line: Line) => {
    known.set(line.key, { ...line, isOurs: true })
    appendFileSync(path, `${JSON.stringify(line)}\n`)
  }
  return {
    id: path,
    ttlMs: 60 * 60_000,
    begin: async (key, fingerprint) => {
      const line = known.get(key)
      if (line) {
        const { fingerprint, answer, isOurs } = line
        if (answer !== undefined) return { state: 'done', fingerprint, answer }
        return { state: isOurs ? 'running' : 'unknown', fingerprint }
      }
      await reach('before-record')
      append({ key, fingerprint })
      await reach('recorded')
      return { state: 'new' }
    },
    finish: async (key, answer) => {
      append({ key, fingerprint: known.get(key)?.fingerprint ?? '', answer })
      await reach('answer-recorded')
    },
  }
}
