import { type Client, createClient, type HandlerContext } from '@flashrpc/core'
import { contract, type Role } from './contract.js'

type Orchestrator = Client<typeof contract.client, typeof contract.server>

/** Runs an agent in this process, for as long as it is wanted. */
export function runAgent(
  role: Role,
  work: (task: string, step: Step, orchestrator: Orchestrator['other']) => Promise<string>,
): void {
  const url = process.argv[2] ?? 'ws://127.0.0.1:8000/agents'
  createClient(contract, {
    url,
    // The orchestrator may be away for a while; an agent waits for it.
    onConnect: [({ other }) => other.enlist({ role })],
    methods: {
      work: ({ task }, { channel, signal }: HandlerContext<Orchestrator>) =>
        work(task, (done) => step(channel, role, done, signal), channel.other),
    },
  })
}

/** One piece of the work, done. */
export type Step = (done: number) => Promise<void>

/** Takes its time, tells how far it is, and stops where nobody waits for the result any more. */
async function step(
  channel: Orchestrator,
  role: Role,
  done: number,
  signal: AbortSignal,
): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 100))
  signal.throwIfAborted()
  await channel.other.progress({ role, done })
}
