import { type Connect, RpcConfigError } from '@flashrpc/core'
import { assertOptions, type OptionKinds } from '@flashrpc/core/internal'
import { DEFAULT_NAME, handOverTo, isHandOverName } from './hand-over.js'
import { acceptedPort } from './handed-port.js'
import { whenEnded } from './when-ended.js'

/** Options of `electronTransport`. */
export interface ElectronTransportOptions {
  /** Which of main's hosts, or of its pipes to utility processes, is meant. Default `default`. */
  name?: string
}

const TRANSPORT_OPTIONS = {
  name: 'elsewhere',
} as const satisfies OptionKinds<ElectronTransportOptions>

/** How long the preload may take, in ms: it answers from the page's own thread. */
const PRELOAD_MS = 2_000
/** How long main may take, in ms. */
const MAIN_MS = 5_000

/**
 * Makes the connection from a page of an Electron window to main: for the option `transport` of `createClient` and
 * the prop of `<RpcProvider>`. It may be created in any program, also in one that has no window. It connects when the
 * client asks.
 *
 * A page has one connection for each name: a newer one replaces the older, whose client stops with 4409. The client
 * stops (`failed`) if the window has no preload of flashrpc, and if main refuses the page; its `lastError` says why.
 * If main does not answer, it tries again.
 *
 * @throws {RpcConfigError} if the name is empty or longer than 64 characters.
 */
export function electronTransport(options: ElectronTransportOptions = {}): Connect {
  assertOptions('electronTransport', options, TRANSPORT_OPTIONS)
  const { name = DEFAULT_NAME } = options
  if (!isHandOverName(name)) {
    throw new RpcConfigError(`name must have 1 to 64 characters. It is ${JSON.stringify(name)}`)
  }
  const patience = {
    first: {
      ms: PRELOAD_MS,
      why: "This window has no flashrpc preload. Its preload must import '@flashrpc/electron/preload', and its webPreferences.preload name that file",
      closeCode: 4400,
    },
    forwarded: {
      ms: MAIN_MS,
      why: `Main does not answer. ${
        name === DEFAULT_NAME
          ? 'Is createElectronHost called there?'
          : `Is there a host or a pipe of the name "${name}", and does the process behind a pipe call serveUtility?`
      }`,
      closeCode: 1006,
    },
  }
  return async ({ signal }) => {
    const { port1, port2 } = new MessageChannel()
    const accepted = acceptedPort(port1, patience, signal)
    // '/' is this page's own origin, also if that is opaque.
    window.postMessage(handOverTo(name), '/', [port2])
    const transport = await accepted
    const onPageHide = () => transport.close(1001, 'The page is going away')
    window.addEventListener('pagehide', onPageHide)
    return whenEnded(transport, () => window.removeEventListener('pagehide', onPageHide))
  }
}
