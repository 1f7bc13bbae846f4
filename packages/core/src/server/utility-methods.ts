import type { Peer } from '../calls/peer.js'
import type { ProcessDetails } from '../contract/utilities.js'

/** What the methods need of the channel they are called over. */
interface Call {
  readonly channel: Pick<Peer<unknown, unknown>, 'other'>
}

/** Handlers of `utilityDefinitions`. */
export interface UtilityMethods {
  ping(): string
  echo(params: { text: string }): string
  processDetails(): ProcessDetails
  callMeBack(params: { method: string; params?: unknown }, context: Call): Promise<unknown>
}

/**
 * Methods to look at a server with: `ping`, `echo`, `processDetails`, `callMeBack`, as Python's
 * `RpcUtilityMethods` has them. They tell any client where the server runs and let it be called back:
 * for development, and where all clients are trusted.
 *
 * @example createEndpoint(contract, { methods: { ...utilityMethods(), add } })
 */
export function utilityMethods(): UtilityMethods {
  return {
    ping: () => 'pong',
    echo: ({ text }) => text,
    processDetails: () => ({
      pid: process.pid,
      command: [...process.argv],
      workingDirectory: process.cwd(),
    }),
    async callMeBack({ method, params }, { channel }) {
      // By a name that only the caller knows: no contract gives it a type here.
      const callByName = (channel as unknown as { call: CallByName }).call.bind(channel)
      return callByName(method, params)
    },
  }
}

type CallByName = (method: string, params: unknown) => Promise<unknown>
