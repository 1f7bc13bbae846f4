import type { AnyClient, ClientSettings, ClientTarget, Contract } from '@flashrpc/core'
import { type ReactElement, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import { type Provided, RpcContext } from './context.js'
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

/** `<RpcProvider>`; documented where it is exported. */
export function BoundRpcProvider(
  boundTo: Contract | undefined,
  props: RpcProviderProps,
): ReactElement {
  const { children, client, ...source } = props
  const content = (provided: AnyClient) => (
    <Provide client={provided} boundTo={boundTo}>
      {children}
    </Provide>
  )
  return client ? (
    <GivenClient client={client} content={content} />
  ) : (
    <MadeClient source={{ contract: boundTo, ...source } as ClientSource} content={content} />
  )
}

/** Provides one value for as long as what it is made of stays the same. */
function Provide({
  client,
  boundTo,
  children,
}: Omit<Provided, 'outer'> & { children: ReactNode }): ReactElement {
  const outer = useContext(RpcContext)
  const provided = useMemo(() => ({ client, boundTo, outer }), [client, boundTo, outer])
  return <RpcContext.Provider value={provided}>{children}</RpcContext.Provider>
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
  useEffect(() => current.follow(source))
  useEffect(() => {
    if (current.owned.client.state.status !== 'closed') return current.owned.hold()
    // Hidden and shown again (Activity), the component keeps its state, and so a client that was
    // closed meanwhile: another takes its place, when the effects have run.
    let isHere = true
    queueMicrotask(() => isHere && setMade(current.again()))
    return () => {
      isHere = false
    }
  }, [current])
  return content(current.owned.client)
}

interface Made {
  /** The source it was made of. */
  readonly first: ClientSource
  readonly owned: OwnedClient
  /** From now on the functions of this source are asked: that of the newest render. */
  follow(source: ClientSource): void
  /** The same, with another client. */
  again(): Made
}

function make(first: ClientSource): Made {
  let newest = first
  const { url, transport, ...settings } = first
  // Functions written inline are other functions at every render: the newest is asked when needed.
  const target: ClientTarget = transport
    ? { transport: (attempt) => (newest.transport ?? transport)(attempt) }
    : { url: typeof url === 'function' ? () => newestUrl(newest, url) : (url as string) }
  return {
    first,
    owned: createOwnedClient({ ...settings, ...target }),
    follow(source) {
      newest = source
    },
    again: () => make(newest),
  }
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
