import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RpcError } from '@flashrpc/core'
import { expect } from 'vitest'

/** How a call ended: its value, or the outcome that its error told. */
type Ending = 'value' | 'not-sent' | 'not-received' | 'maybe-executed' | 'error'

/**
 * Knows of every call what its caller was told and, from the file that handlers write, where and how
 * often it was run: `SESSION ID` a line.
 */
export class Oracle implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'flashrpc-faults-'))
  readonly file = join(this.folder, 'runs.txt')
  readonly endings = new Map<number, Ending[]>()
  #calls: Promise<void>[] = []

  /** Makes a call of the next id, and notes how it ends. */
  call(make: (id: number) => Promise<number>): void {
    const id = this.endings.size
    const endings: Ending[] = []
    this.endings.set(id, endings)
    this.#calls.push(
      make(id).then(
        (value) => void endings.push(value === id ? 'value' : 'error'),
        (error: unknown) => void endings.push(endingOf(error)),
      ),
    )
  }

  /** Resolves when every call has ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#calls)
  }

  get runs(): { session: string; id: number }[] {
    let text = ''
    try {
      text = readFileSync(this.file, 'utf8')
    } catch {
      // Nothing was run.
    }
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [session = '', id] = line.split(' ')
        return { session, id: Number(id) }
      })
  }

  /** Holds the one against the other. @returns how many calls ended in which way. */
  judge(): Partial<Record<Ending, number>> {
    const times = new Map<number, number>()
    const last = new Map<string, number>()
    for (const { session, id } of this.runs) {
      times.set(id, (times.get(id) ?? 0) + 1)
      expect(id, `the order in the session ${session}`).toBeGreaterThan(last.get(session) ?? -1)
      last.set(session, id)
    }
    const counts: Partial<Record<Ending, number>> = {}
    for (const [id, endings] of this.endings) {
      const told = `call ${id} ended as ${endings}, and was run ${times.get(id) ?? 0} times`
      expect(endings.length, told).toBe(1)
      const [ending = 'error'] = endings
      counts[ending] = (counts[ending] ?? 0) + 1
      expect(times.get(id) ?? 0, told).toBeLessThanOrEqual(1)
      if (ending === 'value') expect(times.get(id), told).toBe(1)
      if (ending === 'not-sent' || ending === 'not-received')
        expect(times.has(id), told).toBe(false)
      expect(ending, told).not.toBe('error')
    }
    return counts
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function endingOf(error: unknown): Ending {
  const { outcome } = error as { outcome?: Ending }
  return error instanceof RpcError && outcome !== undefined ? outcome : 'error'
}
