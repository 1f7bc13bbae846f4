import { type Connect, RpcConfigError, RpcDisconnectedError } from '@flashrpc/core'
import { assertOptions, type OptionKinds } from '@flashrpc/core/internal'
import type { MessageChannelMain, UtilityProcess } from 'electron'
import { DEFAULT_NAME, handOverTo } from '../hand-over.js'
import { acceptedPort } from '../handed-port.js'
import { portOfMain } from '../port-main.js'

/** Options of `utilityTransport`. */
export interface UtilityTransportOptions {
  /** Electron's own: nothing of Electron is imported here. */
  MessageChannelMain: {
    /** Makes a channel of two ports. */
    new (): MessageChannelMain
  }
}

const UTILITY_TRANSPORT_OPTIONS = {
  MessageChannelMain: 'function',
} as const satisfies OptionKinds<UtilityTransportOptions>

/** How long the process may take, in ms: it may only just have been forked. */
const PROCESS_MS = 8_000

/**
 * Makes the connection from main to a utility process that runs `serveUtility`: for the option `transport` of
 * `createClient`. The client stops (`failed`) when the process has ended. Create it where the process is forked.
 *
 * @throws {RpcConfigError} if it is not a utility process, or an option is wrong.
 */
export function utilityTransport(child: UtilityProcess, options: UtilityTransportOptions): Connect {
  if (typeof child?.once !== 'function' || typeof child.postMessage !== 'function') {
    throw new RpcConfigError('utilityTransport takes what utilityProcess.fork() returns')
  }
  assertOptions('utilityTransport', options, UTILITY_TRANSPORT_OPTIONS)
  const { MessageChannelMain } = options
  if (MessageChannelMain === undefined) {
    throw new RpcConfigError(
      "MessageChannelMain is missing: give Electron's own, from import { MessageChannelMain } from 'electron'",
    )
  }
  let hasEnded = false
  child.once('exit', () => {
    hasEnded = true
  })
  const patience = {
    ms: PROCESS_MS,
    why: 'The utility process does not answer. Does it call serveUtility?',
    closeCode: 1006,
  }
  return async ({ signal }) => {
    if (hasEnded) {
      throw new RpcDisconnectedError(
        'The utility process has ended. Fork another one',
        'not-sent',
        {
          closeCode: 4400,
        },
      )
    }
    const { port1, port2 } = new MessageChannelMain()
    const accepted = acceptedPort(
      portOfMain(port1),
      { first: patience, forwarded: patience },
      signal,
    )
    child.postMessage(handOverTo(DEFAULT_NAME), [port2])
    return accepted
  }
}
