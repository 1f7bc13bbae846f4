import { createEndpoint, memoryResultStore } from '@flashrpc/core/server'
import { Agents } from './agents.ts'
import { contract } from './contract.ts'

/**
 * Starts the orchestrator.
 *
 * @param port 0 is any free port.
 * @param log is told what happens.
 */
export async function startOrchestrator(port: number, log: (line: string) => void) {
  const agents = new Agents()
  const endpoint = createEndpoint(contract, {
    // Work goes on if the connection is lost, and comes back within 5 s.
    resume: { windowMs: 5_000 },
    // Calls with the same key run once, and have the same answer. The answers are kept for an hour, in memory.
    idempotency: { store: memoryResultStore({ ttlMs: 3_600_000 }), scope: () => 'everyone' },
    methods: {
      join({ role }, { channel }) {
        agents.add(channel, role)
        channel.join('agents')
        log(`a ${role} is here`)
        void endpoint.group('agents').notify('announce', { text: `a ${role} is here` })
      },
      note: ({ role, text }) => log(`${role}: ${text}`),
      clarify({ question }) {
        log(`asked: ${question}`)
        return 'one sentence'
      },
      async report({ topic }, { progress, signal }) {
        log(`report on ${topic}`)
        const findings = await agents.work('researcher', signal, async ({ other }) => {
          const found: string[] = []
          for await (const finding of other.research({ topic }, { signal })) {
            found.push(finding)
            progress(finding)
          }
          return found
        })
        return agents.work('writer', signal, ({ other }) =>
          other.write({ topic, findings }, { signal }),
        )
      },
    },
    onDisconnect: [(channel) => agents.remove(channel)],
  })
  const { url } = await endpoint.listen({ port, path: '/ws' })
  return { endpoint, url }
}
