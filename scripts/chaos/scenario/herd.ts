import { createFaultProxy } from '@flashrpc/core/testing'
import type { Child } from '../child.ts'
import { startClients, startServer } from '../processes.ts'
import { join } from '../report.ts'
import { close, uncaught } from './ledger.ts'
import type { Scenario } from './scenario.ts'

/** How long all may take to come back, in ms. */
const BACK_MS = 45_000
/** How many clients a server takes in one second: `limits.connectionsPerSecond`. */
const A_SECOND = 600
/** A process that is busy with so many clients tells its counts late: one second may seem to have those of two. */
const LATE = 2
/** How many clients one process holds. */
const A_PROCESS = 3_000

/**
 * Clients that lose their server together, and come back to another that is there already: at once as many as it takes
 * in a second, the others spread out.
 */
export const herd: Scenario = async ({ calls: clients, level, folder, progress }) => {
  const serve = (name: string) =>
    startServer({
      folder,
      name,
      level,
    })
  const first = serve('first')
  const proxy = await createFaultProxy({ port: (await first.next('listening')).port })
  const processes: Child[] = []
  const connected = new Map<Child, number>()
  /** When each connection came, in ms. */
  const times: number[] = []
  const second = serve('second')
  const { port } = await second.next('listening')
  try {
    for (let begun = 0; begun < clients; begun += A_PROCESS) {
      const child = startClients({
        folder,
        name: `clients${begun}`,
        url: proxy.url(),
        clients: Math.min(A_PROCESS, clients - begun),
        calls: 1,
        timeoutMs: 60_000,
        connectTimeoutMs: 10_000,
        heartbeatMs: 5_000,
        retry: { minDelayMs: 500, maxDelayMs: 30_000 },
      })
      child.on((told) => {
        if (told.kind !== 'state') return
        const more = told.connected - (connected.get(child) ?? 0)
        connected.set(child, told.connected)
        for (let n = 0; n < more; n++) times.push(performance.now())
      })
      processes.push(child)
      await child.next('done')
      progress(`${times.length} clients are connected`)
    }
    const isAll = () => times.length >= 2 * clients
    const begin = performance.now()
    proxy.retarget({ port })
    await first.kill()
    while (!isAll() && performance.now() - begin < 2 * BACK_MS) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      progress(`${times.length - clients} clients are back`)
    }
    const back = times.slice(clients).map((time) => time - begin)
    const last = Math.max(0, ...back)
    const seconds = new Map<number, number>()
    for (const time of back) {
      const second = Math.floor(time / 1_000)
      seconds.set(second, (seconds.get(second) ?? 0) + 1)
    }
    const mean = back.length / Math.max(1, last / 1_000)
    const peak = Math.max(0, ...seconds.values())
    const left = await Promise.all([...processes, second].map(close))
    return join(
      {
        figures: [
          ['clients', clients],
          ['back', back.length],
          ['… the last after', `${(last / 1_000).toFixed(1)} s`],
          ['connections refused', proxy.refused],
          ['the peak second', peak],
          ['… beside the mean', `${(peak / mean).toFixed(2)}×`],
        ],
        faults: [
          ...(back.length === clients ? [] : [`${clients - back.length} clients are not back`]),
          ...(last <= BACK_MS ? [] : ['they took too long']),
          ...(proxy.refused === 0 ? [] : ['some were refused']),
          ...(peak <= Math.max(3 * mean, LATE * A_SECOND) ? [] : ['they came too close together']),
        ],
      },
      ...left,
      ...processes.map(uncaught),
      uncaught(second),
    )
  } finally {
    await Promise.all([first, second, ...processes].map((child) => child.kill()))
    await proxy.close()
  }
}
