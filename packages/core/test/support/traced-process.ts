import { createChannel, memoryTransportPair, RpcError } from '@flashrpc/core'

interface Server {
  fail(): void
}

/** Calls in vain, and tells what the error's stack is, and how often any was captured. */
const { captureStackTrace } = Error
let captured = 0
Error.captureStackTrace = (...args: Parameters<typeof captureStackTrace>) => {
  captured++
  captureStackTrace(...args)
}

const [near, far] = memoryTransportPair()
const fail = () => {
  throw new RpcError(4004, 'It failed')
}
createChannel<Server, Record<never, never>>({ side: 'server', transport: far, methods: { fail } })
const client = createChannel<Record<never, never>, Server>({ side: 'client', transport: near })
const before = captured

async function askInVain(): Promise<string | undefined> {
  try {
    await client.other.fail()
    return undefined
  } catch (thrown) {
    return (thrown as Error).stack
  }
}

const stack = await askInVain()
process.send?.({ stack, captured: captured - before })
process.disconnect()
