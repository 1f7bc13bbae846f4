import { createClient } from '@flashrpc/core'
import type { OpenRpcDocument } from '@flashrpc/core/discovery'
import { electronTransport } from '@flashrpc/electron/renderer'

interface Discoverable {
  'rpc.discover'(): OpenRpcDocument
}

/** The methods that the other side says it has; the code of its error if it does not say. */
export async function discover(name?: string): Promise<string[] | number> {
  const transport = electronTransport(name === undefined ? {} : { name })
  const client = createClient<Discoverable>({ transport })
  try {
    return (await client.call('rpc.discover')).methods.map((method) => method.name)
  } catch (thrown) {
    return (thrown as { code: number }).code
  } finally {
    await client.close()
  }
}
