import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Balancer, startBalancer } from './balancer.js'

/** Three nodes behind a balancer. */
export interface Cluster {
  readonly balancer: Balancer
  /** Ends the process of a node at once, as a crash does. */
  kill(name: string): Promise<void>
  /** Starts it again. */
  start(name: string): Promise<void>
  close(): Promise<void>
}

export const NAMES = ['Ada', 'Bert', 'Cleo'] as const

/** @param port that of the balancer; 0 for any. */
export async function startCluster(nats: string, port: number): Promise<Cluster> {
  const balancer = await startBalancer(port)
  const nodes = new Map<string, ChildProcess>()

  const start = async (name: string) => {
    const path = fileURLToPath(new URL('node.ts', import.meta.url))
    const node = fork(path, [name, nats], { execArgv: [...process.execArgv, '--import', 'tsx'] })
    nodes.set(name, node)
    const exited = once(node, 'exit').then(([code]) => {
      throw new Error(`${name} ended by ${code}: is NATS at ${nats}?`)
    })
    const [{ port }] = (await Promise.race([once(node, 'message'), exited])) as [{ port: number }]
    exited.catch(() => {})
    balancer.targets.set(name, port)
  }
  const kill = async (name: string) => {
    const node = nodes.get(name)
    nodes.delete(name)
    balancer.targets.delete(name)
    if (!node || node.exitCode !== null || node.signalCode !== null) return
    const exited = once(node, 'exit')
    node.kill('SIGKILL')
    await exited
  }
  const close = async () => {
    await Promise.all(NAMES.map(kill))
    await balancer.close()
  }
  try {
    await Promise.all(NAMES.map(start))
  } catch (error) {
    await close()
    throw error
  }
  return { balancer, kill, start, close }
}
