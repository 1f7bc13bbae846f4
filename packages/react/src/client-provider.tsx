import { type AnyClient, RpcConfigError } from '@flashrpc/core'
import type { ReactElement, ReactNode } from 'react'
import { GivenClient, Provide } from './given-client.js'
import { ownProps } from './own-props.js'

/** The props of `<RpcProvider>` of `@flashrpc/react/lite`. */
export interface RpcProviderProps {
  /** A client that you made and will close. It is connected, if it is not yet. */
  client: AnyClient
  /** The components that use the client. */
  children?: ReactNode
}

/**
 * Gives the components in it a client that the application made, such as one of `@flashrpc/core/lite`. Unlike
 * `<RpcProvider>` of `@flashrpc/react`, it makes no client, so that the bundle of a page has no other client in it.
 *
 * @throws {RpcConfigError} (rendering) if `client` is not a client, or a prop is unknown.
 */
export function RpcProvider(props: RpcProviderProps): ReactElement {
  const { client } = ownProps('RpcProvider', props, KNOWN)
  if (typeof client?.subscribe !== 'function') {
    throw new RpcConfigError('RpcProvider: client must be a client, made by createClient')
  }
  return (
    <GivenClient
      client={client}
      content={(provided) => (
        <Provide client={provided} boundTo={undefined}>
          {props.children}
        </Provide>
      )}
    />
  )
}

const KNOWN = { client: 'elsewhere' } as const
