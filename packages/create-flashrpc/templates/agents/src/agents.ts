import { EventEmitter, once } from 'node:events'
import { RpcDisconnectedError } from '@flashrpc/core'
import type { ServerChannel } from '@flashrpc/core/server'
import type { contract, Role } from './contract.ts'

/** An agent, as the orchestrator sees it. */
export type Agent = ServerChannel<typeof contract.server, typeof contract.client>

/** The agents that are there, by what they can do. */
export class Agents {
  readonly #agents = new Map<Agent, Role>()
  readonly #joined = new EventEmitter()

  add(agent: Agent, role: Role): void {
    this.#agents.set(agent, role)
    this.#joined.emit(role)
  }

  remove(agent: Agent): void {
    this.#agents.delete(agent)
  }

  /**
   * Gives work to an agent, and waits until there is one. If the agent is lost before it has finished, another one gets the
   * work: it may run twice.
   */
  async work<Result>(
    role: Role,
    signal: AbortSignal,
    work: (agent: Agent) => Promise<Result>,
  ): Promise<Result> {
    for (;;) {
      const agent = this.#find(role)
      if (!agent) {
        await once(this.#joined, role, { signal })
        continue
      }
      try {
        return await work(agent)
      } catch (error) {
        if (!(error instanceof RpcDisconnectedError)) throw error
        this.remove(agent)
      }
    }
  }

  #find(role: Role): Agent | undefined {
    for (const [agent, its] of this.#agents) if (its === role) return agent
    return undefined
  }
}
