import {
  RpcProvider,
  useRpc,
  useRpcCall,
  useRpcMethod,
  useRpcState,
  useRpcStream,
} from '@flashrpc/react'
import { type ReactElement, Suspense, use, useState } from 'react'
import { contract } from '../../../../scripts/test-server/contract.js'

/** A page that has every hook, and a part that comes later: rendered in Node, hydrated in Chromium. */
export function Page({ url }: { url: string }): ReactElement {
  const [later] = useState(() => new Promise<string>((part) => setTimeout(part, 20, 'part')))
  return (
    <RpcProvider url={url} contract={contract}>
      <main>
        <Hooks name="shell" />
        <Suspense fallback={<p>later</p>}>
          <Later name={later} />
        </Suspense>
      </main>
    </RpcProvider>
  )
}

function Later({ name }: { name: Promise<string> }) {
  return <Hooks name={use(name)} />
}

function Hooks({ name }: { name: string }) {
  const rpc = useRpc()
  const { status } = useRpcState()
  const { isPending } = useRpcCall('add')
  const count = useRpcStream('count', { to: 3 })
  useRpcMethod('confirm', () => 'yes')
  return (
    <p>
      {name} {status} {typeof rpc.add} {String(isPending)} {count.status} {count.items.length}
    </p>
  )
}
