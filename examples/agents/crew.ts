import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ServerChannel } from '@flashrpc/core/server'
import type { contract, Role } from './contract.js'

type Agent = ServerChannel<typeof contract.server, typeof contract.client>

/** The agents: their processes, and the channel of each that is at work. */
export class Crew {
  readonly #processes = new Map<Role, ChildProcess>()
  readonly #agents = new Map<Role, Agent>()
  readonly #awaited = new Map<Role, (agent: Agent) => void>()

  /** Starts an agent's process, this program's way of running TypeScript included. */
  start(role: Role, url: string): void {
    const program = fileURLToPath(new URL(`${role}-agent.ts`, import.meta.url))
    const child = spawn(process.execPath, [...process.execArgv, program, url], {
      stdio: 'inherit',
    })
    this.#processes.set(role, child)
  }

  /** Ends an agent's process, without asking it. */
  async kill(role: Role): Promise<void> {
    const child = this.#processes.get(role)
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  async dismiss(): Promise<void> {
    await Promise.all([...this.#processes.keys()].map((role) => this.kill(role)))
  }

  /** An agent has connected, for the first time or again. */
  enlist(role: Role, agent: Agent): void {
    this.#agents.set(role, agent)
    this.#awaited.get(role)?.(agent)
    this.#awaited.delete(role)
  }

  /** The agent of a role, once there is one that is connected. */
  async get(role: Role): Promise<Agent> {
    const agent = this.#agents.get(role)
    if (agent?.isConnected) return agent
    return new Promise((resolve) => this.#awaited.set(role, resolve))
  }
}
