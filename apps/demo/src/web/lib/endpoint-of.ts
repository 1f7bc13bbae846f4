import { RPC_PATH } from '../../contract.js'

/** The address of the endpoint on the server that a page came from. */
export function endpointOf({ protocol, host }: Pick<Location, 'protocol' | 'host'>): string {
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}${RPC_PATH}`
}
