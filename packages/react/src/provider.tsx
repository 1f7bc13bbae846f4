import {
  type AnyClient,
  type ClientSettings,
  type ClientTarget,
  type Contract,
  RpcConfigError,
} from '@flashrpc/core'
import { assertContract, CLIENT_SETTINGS, type OptionKinds } from '@flashrpc/core/internal'
import { type ReactElement, type ReactNode, useEffect, useInsertionEffect, useState } from 'react'
import { type Content, GivenClient, Provide } from './given-client.js'
import { ownProps } from './own-props.js'
import { type ClientSource, OwnedClient } from './owned-client.js'

/** The props of `<RpcProvider>`: a client of yours, or the contract and the options of one that it makes. */
export type RpcProviderProps<C extends Contract = Contract> = {
  /** The components that use the client. */
  children?: ReactNode
} & (
  | {
      /** A client that you made and will close. It is connected, if it is not yet. */
      client: AnyClient
      /** Not beside a `client`. */
      url?: undefined
      /** Not beside a `client`. */
      transport?: undefined
      /** Not beside a `client`. */
      socket?: undefined
      /** Not beside a `client`. */
      contract?: undefined
    }
  | ({
      /** Not beside a `url`, a `transport` or a `socket`. */
      client?: undefined
      /** The contract of both sides. Without it, nothing is validated. */
      contract?: C | undefined
    } & ClientTarget &
      ClientSettings)
)

const PROVIDER_OPTIONS = {
  ...CLIENT_SETTINGS,
  transport: 'function',
  children: 'elsewhere',
  client: 'elsewhere',
  contract: 'elsewhere',
} as const satisfies OptionKinds<RpcProviderProps, 'helloTimeoutMs'>

/** `<RpcProvider>`. Its export documents it. */
export function BoundRpcProvider(
  boundTo: Contract | undefined,
  props: RpcProviderProps,
): ReactElement {
  const { client, ...source } = checkedProps(props)
  const content = (provided: AnyClient) => (
    <Provide client={provided} boundTo={boundTo}>
      {props.children}
    </Provide>
  )
  return client !== undefined ? (
    <GivenClient client={client} content={content} />
  ) : (
    <MadeClient source={{ contract: boundTo, ...source } as ClientSource} content={content} />
  )
}

/**
 * @returns the props without those that any component may be given.
 * @throws {RpcConfigError} naming a prop that is unknown or wrong.
 */
function checkedProps(props: RpcProviderProps): RpcProviderProps {
  const own = ownProps('RpcProvider', props, PROVIDER_OPTIONS)
  const { client, ...source } = own
  if (source.contract !== undefined)
    assertContract('RpcProvider', source.contract, 'in the prop contract')
  if (client === undefined) return own
  if (typeof client?.subscribe !== 'function') {
    throw new RpcConfigError('RpcProvider: client must be a client, made by createClient')
  }
  for (const [name, value] of Object.entries(source)) {
    if (value === undefined) continue
    throw new RpcConfigError(
      `RpcProvider: ${name} is for a client that it makes; with a client, leave it out`,
    )
  }
  return own
}

function MadeClient({ source, content }: { source: ClientSource; content: Content }): ReactElement {
  const [made, remake] = useState(() => OwnedClient.for(source))
  const [holder] = useState(() => ({}))
  let current = made
  if (made.isLetGo || !isSameTarget(made.source, source)) {
    // Another target: another client, within this render (react.dev, "Storing information from
    // previous renders").
    current = OwnedClient.for(source)
    remake(current)
  }
  useInsertionEffect(() => current.mounted(), [current])
  useEffect(() => current.follow(source))
  useEffect(() => {
    const release = current.client.state.status === 'closed' ? undefined : current.hold(holder)
    if (release) return release
    // The client may be closed: a component that is hidden and shown again (Activity) keeps its state with a closed
    // client. Or another provider may hold it: if two providers were rendered alike, only one gets the client. In
    // both cases, a new client takes its place after the effects have run.
    let isHere = true
    queueMicrotask(() => isHere && remake(current.again()))
    return () => {
      isHere = false
    }
  }, [current, holder])
  return content(current.client)
}

function isSameTarget(one: ClientSource, other: ClientSource): boolean {
  const isFunction = typeof one.url === 'function' && typeof other.url === 'function'
  return (
    one.contract === other.contract &&
    one.socket === other.socket &&
    (one.url === other.url || isFunction) &&
    (one.transport === undefined) === (other.transport === undefined)
  )
}
