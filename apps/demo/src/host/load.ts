import { cpus, freemem, totalmem } from 'node:os'
import type { Load } from '../contract.js'

const EVERY_MS = 1_000

/** Measures the machine's load once a second while it runs. */
export interface LoadMeter {
  /** Begins, unless it runs already. */
  start(): void
  /** Ends. Safe to call twice. */
  stop(): void
}

export function createLoadMeter(tell: (load: Load) => void): LoadMeter {
  let timer: NodeJS.Timeout | undefined
  return {
    start() {
      if (timer) return
      let before = cpuTimes()
      timer = setInterval(() => {
        const now = cpuTimes()
        const total = now.total - before.total
        const busy = now.busy - before.busy
        before = now
        // Some containers report no times at all, and none ever passes.
        const cpu = total > 0 ? Math.min(1, Math.max(0, busy / total)) : 0
        const memory = { used: totalmem() - freemem(), total: totalmem() }
        tell({ cpu, memory, at: Date.now() })
      }, EVERY_MS)
    },
    stop() {
      clearInterval(timer)
      timer = undefined
    },
  }
}

/** All processors' times since the machine was started, in ms. */
function cpuTimes(): { busy: number; total: number } {
  let busy = 0
  let total = 0
  for (const { times } of cpus()) {
    const worked = times.user + times.nice + times.sys + times.irq
    busy += worked
    total += worked + times.idle
  }
  return { busy, total }
}
