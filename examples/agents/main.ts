import { EventEmitter, once } from 'node:events'
import { RpcDisconnectedError } from '@flashrpc/core'
import { createEndpoint } from '@flashrpc/core/server'
import { contract, type Role } from './contract.js'
import { Crew } from './crew.js'

const crew = new Crew()
const steps = new EventEmitter()

const endpoint = createEndpoint(contract, {
  methods: {
    enlist: ({ role }, { channel }) => crew.enlist(role, channel),
    clarify({ question }) {
      console.log(`asked: ${question} – "thorough"`)
      return 'thorough'
    },
    // As it comes, and so in no fixed order: on the other stream.
    progress({ role, done }) {
      console.error(`  ${role}: ${Math.round(done * 100)} %`)
      steps.emit(role)
    },
  },
})
const { url } = await endpoint.listen({ path: '/agents' })

/** Gives an agent a task; one that dies over it is given the task again when it is back. */
async function dispatch(role: Role, task: string): Promise<string> {
  for (;;) {
    const agent = await crew.get(role)
    try {
      return await agent.other.work({ task })
    } catch (error) {
      // It may have run, and it may run twice: the contract says so of `work`.
      if (!(error instanceof RpcDisconnectedError)) throw error
      console.log(`${role} was lost at work (${error.outcome}); it gets the task again`)
    }
  }
}

try {
  crew.start('research', url)
  crew.start('analysis', url)

  console.log('\nBoth at once:')
  const results = await Promise.all([dispatch('research', 'tides'), dispatch('analysis', 'tides')])
  console.log(results.join('\n'))

  console.log('\nOne is killed at work, and started again:')
  const research = dispatch('research', 'comets')
  await once(steps, 'research')
  await crew.kill('research')
  crew.start('research', url)
  console.log(await research)
} finally {
  await crew.dismiss()
  await endpoint.close()
}
