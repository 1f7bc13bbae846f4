import type { AnyClient } from '@flashrpc/core'
import { type ReactElement, type ReactNode, useContext, useEffect, useMemo } from 'react'
import { connectWhenCalled } from './connect-when-called.js'
import { type Provided, RpcContext } from './context.js'

/** Provides one value for as long as what it is made of stays the same. */
export function Provide({
  client,
  boundTo,
  children,
}: Omit<Provided, 'outer'> & { children: ReactNode }): ReactElement {
  const outer = useContext(RpcContext)
  const provided = useMemo(() => ({ client, boundTo, outer }), [client, boundTo, outer])
  return <RpcContext.Provider value={provided}>{children}</RpcContext.Provider>
}

/** Renders the content of a provider with its client. */
export type Content = (client: AnyClient) => ReactElement

/** Provides a client that the application made. It is connected, if it is not yet. */
export function GivenClient({
  client,
  content,
}: {
  client: AnyClient
  content: Content
}): ReactElement {
  connectWhenCalled(client)
  useEffect(() => {
    if (client.state.status === 'idle') void client.connect()
  }, [client])
  return content(client)
}
