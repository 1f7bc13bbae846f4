import { type AnyClient, RpcConfigError } from '@flashrpc/core'
import type { OptionKinds } from '@flashrpc/core/internal'
import {
  lazy,
  type ReactElement,
  Suspense,
  useCallback,
  useContext,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react'
import { RpcContext } from '../context.js'
import { ownProps } from '../own-props.js'
import type { DevtoolsPosition } from './devtools-position.js'
import { type DevtoolsButton, Launcher } from './launcher.js'
import type { Recorder } from './recorder.js'
import { holdRecorder, recorderOf } from './recorder-of.js'
import { Shadow } from './shadow.js'

/** The props of `RpcDevtools`. */
export interface RpcDevtoolsProps {
  /** Whose calls are shown. Default: the client of the nearest provider. */
  client?: AnyClient
  /** Whether the panel is open at first. Default false: a button opens it. */
  defaultOpen?: boolean
  /**
   * The place of the button. Default `floating`: over the page, at its lower right corner. `inline`: where the
   * component is rendered, such as in a bar of the page, so that it covers nothing.
   */
  button?: DevtoolsButton
  /** The first place of the panel. Default `bottom`. */
  position?: DevtoolsPosition
  /** Default `auto`: as the system is. */
  theme?: 'auto' | 'light' | 'dark'
}

const DEVTOOLS_PROPS = {
  client: 'object',
  defaultOpen: 'boolean',
  button: 'string',
  position: 'string',
  theme: 'string',
} as const satisfies OptionKinds<RpcDevtoolsProps>

/** Loaded when it is opened for the first time. */
const Panel = lazy(async () => ({ default: (await import('./panel/panel.js')).Panel }))

/**
 * A button that opens a panel with all messages between this page and its server: calls, streams and notifications in
 * both directions, the history of the connection, its session and its buffers. The panel can simulate an offline or
 * slow network, and make calls again. It records from the moment when it is mounted.
 *
 * It is in a shadow root, needs no stylesheet, and works under a Content-Security-Policy without `unsafe-inline`.
 *
 * @throws {RpcConfigError} (rendering) if a prop is unknown or wrong, or there is neither a `client` nor a provider
 *   around it.
 */
export function RpcDevtools(props: RpcDevtoolsProps): ReactElement {
  const {
    client,
    defaultOpen = false,
    button = 'floating',
    position = 'bottom',
    theme = 'auto',
  } = ownProps('RpcDevtools', props, DEVTOOLS_PROPS)
  const provided = useContext(RpcContext)?.client
  const shown = client ?? provided
  if (!shown) {
    throw new RpcConfigError(
      'RpcDevtools found no client. Put it into a <RpcProvider>, or give it one: <RpcDevtools client={client} />',
    )
  }
  const recorder = useRecorder(shown)
  const [isOpen, setOpen] = useState(defaultOpen)
  const launcher = useRef<HTMLButtonElement>(null)
  const close = () => {
    setOpen(false)
    // When it is there again.
    queueMicrotask(() => launcher.current?.focus())
  }
  const isShown = isOpen && recorder !== undefined
  return (
    <Shadow theme={theme}>
      {(button === 'inline' || !isShown) && (
        <Launcher
          button={button}
          isOpen={isShown}
          focusable={launcher}
          onClick={() => (isShown ? close() : setOpen(true))}
        />
      )}
      {isShown && (
        <Suspense>
          <Panel recorder={recorder} position={position} onClose={close} />
        </Suspense>
      )}
    </Shadow>
  )
}

/** Records the client's calls while the component is mounted. */
function useRecorder(client: AnyClient): Recorder | undefined {
  const hold = useCallback(() => holdRecorder(client), [client])
  return useSyncExternalStore(
    hold,
    () => recorderOf(client),
    () => undefined,
  )
}
