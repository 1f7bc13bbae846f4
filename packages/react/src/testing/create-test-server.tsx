import {
  type ClientSettings,
  type Contract,
  type ContractSide,
  type CreateServerChannelOptions,
  type HandlersAt,
  type HandlersByPath,
  memoryTransportPair,
  type Path,
  type PresenceOptions,
  type ServerChannel,
  type SomeHandlers,
  type Transport,
} from '@flashrpc/core'
import {
  type AnyServerChannel,
  contractAndOptions,
  type ImplementArguments,
  listOf,
  type OptionKinds,
  SERVER_CHANNEL_OPTIONS,
  ServedChannels,
} from '@flashrpc/core/internal'
import type { ReactElement, ReactNode } from 'react'
import { BoundRpcProvider } from '../provider.js'
import { inAct } from './in-act.js'

/** What a test server does, and what its pages are made with. */
export interface TestServerOptions<Local, Remote, Identity = undefined>
  extends Omit<CreateServerChannelOptions<Local, Remote, Identity>, 'side' | 'transport'> {
  /** Settings of the clients that the provider makes, such as `waitForMount`. */
  client?: ClientSettings
  /** Lets pages see who is in a group, as the option of an endpoint does. Default: no page may see it. */
  presence?: PresenceOptions<ServerChannel<Local, Remote, Identity>>
}

/** A server in a test, and a provider that connects components to it. */
export interface TestServer<Local, Remote, Identity = undefined> {
  /** Connects what is in it to this server: the `wrapper` of Testing Library's `render` and `renderHook`. */
  readonly wrapper: (props: { children?: ReactNode }) => ReactElement
  /**
   * The page that connected last: `(await page()).other.confirm({ text })` calls a component. Waits until there is
   * one, within React's `act` if tests are run under it.
   */
  page(): Promise<ServerChannel<Local, Remote, Identity>>
  /**
   * Gives handlers after the server was made, before its first page connects. A handler may then use the server without
   * a circular type (TypeScript's error 7022).
   *
   * @param handlers those that the test needs: in their groups, or by their paths.
   * @throws {RpcConfigError} if a name is not in the contract, or has a handler already, a handler is not a function, or a
   *   page has connected.
   */
  implement<const Literal = never>(
    handlers:
      | SomeHandlers<Local, ServerChannel<Local, Remote, Identity>, Literal>
      | Partial<HandlersByPath<Local, ServerChannel<Local, Remote, Identity>, Literal>>,
  ): void
  /**
   * Gives the handlers of one group, or of one method.
   *
   * @throws {RpcConfigError} as above.
   */
  implement<P extends Path<Local>, const Literal = never>(
    path: P,
    handlers: HandlersAt<Local, P, ServerChannel<Local, Remote, Identity>, Literal>,
  ): void
  /** Cuts all connections, and lets none come about until `reconnect()`. */
  disconnect(): void
  /** Lets pages connect again; they try after a few ms. */
  reconnect(): void
}

/**
 * A server in the memory of a test, for components that use the hooks: everything but the network is real, with
 * validation, handshake and reconnecting. Methods without a handler are answered −32601. When its components are
 * unmounted, nothing is left of it.
 *
 * @example
 * const { wrapper, page } = createTestServer(contract, { methods: { add: ({ a, b }) => a + b } })
 * render(<Calculator />, { wrapper })
 * await screen.findByText('15')
 *
 * @throws {RpcConfigError} if an option is unknown or wrong, or a method's name is wrong. A wrong setting of the clients is
 *   thrown when the provider is rendered.
 */
export function createTestServer<
  Server extends ContractSide,
  Client extends ContractSide,
  Identity = undefined,
>(
  contract: Contract<Server, Client>,
  options: TestServerOptions<Server, Client, Identity>,
): TestServer<Server, Client, Identity>
/** The same without a contract, and so without validation. */
export function createTestServer<Local extends object, Remote extends object>(
  options: TestServerOptions<Local, Remote>,
): TestServer<Local, Remote>
export function createTestServer(...args: [object] | [Contract, object]): object {
  const [contract, untyped] = contractAndOptions<UntypedOptions>(
    'createTestServer',
    args,
    TEST_SERVER_OPTIONS,
  )
  const { client, identity, ...options } = untyped
  const transports = new Map<AnyServerChannel, Transport>()
  const pages = new Set<AnyServerChannel>()
  const waiting: (() => void)[] = []
  let isAway = false
  const served = new ServedChannels(
    contract,
    {
      ...options,
      onConnect: [
        (page) => {
          pages.add(page)
          for (const wake of waiting.splice(0)) wake()
        },
        ...listOf(options.onConnect),
      ],
      onDisconnect: [
        (page) => {
          pages.delete(page)
          transports.delete(page)
        },
        ...listOf(options.onDisconnect),
      ],
    },
    { made: 'server', before: 'its first page connects' },
  )

  const connect = (): Transport => {
    if (isAway) throw new Error('the test server is disconnected')
    const [ours, theirs] = memoryTransportPair()
    transports.set(served.open(ours, identity), ours)
    return theirs
  }

  const newest = async (): Promise<AnyServerChannel> => {
    for (;;) {
      const page = [...pages].at(-1)
      if (page) return page
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
  }

  const target = {
    ...(contract && { contract }),
    retry: { minDelayMs: 1, maxDelayMs: 5 },
    ...client,
    transport: connect,
  }
  return {
    wrapper: ({ children }: { children?: ReactNode }) =>
      BoundRpcProvider(contract, { ...target, children }),
    page: () => inAct(newest),
    implement: (...args: ImplementArguments) => served.implement(...args),
    disconnect() {
      isAway = true
      for (const transport of transports.values())
        transport.close(1012, 'The test server went away')
    },
    reconnect() {
      isAway = false
    },
  }
}

type UntypedSide = Record<string, (params: never) => unknown>
const TEST_SERVER_OPTIONS = {
  ...SERVER_CHANNEL_OPTIONS,
  identity: 'elsewhere',
  client: 'object',
  presence: 'elsewhere',
} as const satisfies OptionKinds<UntypedOptions>

type UntypedOptions = TestServerOptions<UntypedSide, UntypedSide, unknown>
