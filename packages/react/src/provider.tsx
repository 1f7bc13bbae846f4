import type { AnyClient, ClientSettings, ClientTarget, Contract } from '@flashrpc/core'
import { type ReactElement, type ReactNode, useEffect, useRef, useState } from 'react'
import type { RpcContext } from './context.js'
import { type ClientSource, createOwnedClient, type OwnedClient } from './owned-client.js'

/** What `<RpcProvider>` connects to: a client of yours, or one it makes of the rest. */
export type RpcProviderProps<C extends Contract = Contract> = { children?: ReactNode } & (
  | {
      /** A client that you made and will close. It is connected, where it is not yet. */
      client: AnyClient
      url?: undefined
      transport?: undefined
      contract?: undefined
    }
  | ({
      client?: undefined
      /** What both sides agreed on; without it nothing is validated. */
      contract?: C | undefined
    } & ClientTarget &
      ClientSettings)
)

/** The component, for hooks that find their client in this context. */
export function bindRpcProvider(context: RpcContext, boundContract?: Contract) {
  /**
   * Gives the components in it one connection.
   *
   * With `url` or `transport` it makes a client, connects it once mounted, and closes it when it is
   * unmounted; another address or contract makes another. A `url` or `transport` that is a function
   * may be written inline: the newest is asked at each attempt. Of the other options those of the
   * first render count. Rendering never connects: on a server, no socket is opened.
   */
  return function RpcProvider(props: RpcProviderProps): ReactElement {
    const { children, client, ...source } = props
    const content = (provided: AnyClient) => (
      <context.Provider value={provided}>{children}</context.Provider>
    )
    return client ? (
      <GivenClient client={client} content={content} />
    ) : (
      <MadeClient
        source={{ contract: boundContract, ...source } as ClientSource}
        content={content}
      />
    )
  }
}

type Content = (client: AnyClient) => ReactElement

function GivenClient({ client, content }: { client: AnyClient; content: Content }): ReactElement {
  useEffect(() => {
    if (client.state.status === 'idle') void client.connect()
  }, [client])
  return content(client)
}

function MadeClient({ source, content }: { source: ClientSource; content: Content }): ReactElement {
  const [made, setMade] = useState(() => make(source))
  let current = made
  if (!isSameTarget(made.first, source)) {
    // Another target: another client, within this render (react.dev, "Storing information from
    // previous renders").
    current = make(source)
    setMade(current)
  }
  useEffect(() => {
    current.newest.source = source
  })
  useEffect(() => {
    // Hidden and shown again (Activity), the component keeps its state, and so a client that was
    // closed meanwhile.
    if (current.owned.client.state.status !== 'closed') return current.owned.hold()
    setMade(make(current.newest.source))
    return undefined
  }, [current])
  return content(current.owned.client)
}

interface Made {
  /** The source it was made of. */
  readonly first: ClientSource
  /** The source of the newest render, whose functions are asked. */
  readonly newest: { source: ClientSource }
  readonly owned: OwnedClient
}

function make(first: ClientSource): Made {
  const newest = { source: first }
  const { url, transport, ...settings } = first
  // Functions written inline are other functions at every render: the newest is asked when needed.
  const target: ClientTarget = transport
    ? { transport: (attempt) => (newest.source.transport ?? transport)(attempt) }
    : { url: typeof url === 'function' ? () => newestUrl(newest.source, url) : (url as string) }
  return { first, newest, owned: createOwnedClient({ ...settings, ...target }) }
}

function newestUrl(newest: ClientSource, first: () => string | Promise<string>) {
  return typeof newest.url === 'function' ? newest.url() : first()
}

function isSameTarget(one: ClientSource, other: ClientSource): boolean {
  const isFunction = typeof one.url === 'function' && typeof other.url === 'function'
  return (
    one.contract === other.contract &&
    (one.url === other.url || isFunction) &&
    (one.transport === undefined) === (other.transport === undefined)
  )
}
