import type { Channel, Handlers } from '@flashrpc/core'
import type { threadContract } from './thread-contract.js'

type Sides = typeof threadContract
type Methods = Omit<Handlers<Sides['server'], Channel<Sides['server'], Sides['client']>>, 'exit'>

/** The methods of a worker, of either kind. */
export const threadMethods: Methods = {
  add: ({ a, b }) => a + b,
  reverse: ({ bytes }) => bytes.slice().reverse(),
  ask: (_, { channel }) => channel.other.name(),
  async *count({ to }) {
    for (let n = 1; n <= to; n++) yield n
  },
  hang: () => new Promise(() => {}),
}
