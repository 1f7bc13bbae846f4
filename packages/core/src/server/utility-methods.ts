import type { Peer } from '../calls/peer.js'
import type { ProcessDetails } from '../contract/utilities.js'

/** The part of the channel that the methods use. */
export interface UtilityCall {
  /** The channel of the caller. */
  readonly channel: Pick<Peer<unknown, unknown>, 'other'>
}

/** The handlers of `utilityDefinitions`. */
export interface UtilityMethods {
  /** Answers `pong`. */
  ping(): string
  /** Answers the text that it was sent. */
  echo(params: { text: string }): string
  /** Answers which process serves. */
  processDetails(): ProcessDetails
  /** Calls a method of the caller, and answers its result. */
  callMeBack(params: { method: string; params?: unknown }, context: UtilityCall): Promise<unknown>
}

/**
 * Methods to examine a server with: `ping`, `echo`, `processDetails`, `callMeBack`, as Python's `RpcUtilityMethods` has
 * them. They tell any client where the server runs, and call the client back. Use them for development, or if all
 * clients are trusted.
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
      // Only the caller knows the method's name, so no contract gives it a type here.
      const callByName = (channel as unknown as { call: CallByName }).call.bind(channel)
      return callByName(method, params)
    },
  }
}

type CallByName = (method: string, params: unknown) => Promise<unknown>
