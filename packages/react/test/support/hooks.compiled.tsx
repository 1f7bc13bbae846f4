import { useRpc, useRpcCall, useRpcMethod, useRpcState, useRpcStream } from '@flashrpc/react'
import { type ReactElement, useState } from 'react'

/** A component that React's compiler compiles: it remembers what it can. */
export function Compiled({ suffix }: { suffix: string }): ReactElement {
  const rpc = useRpc()
  const [sum, setSum] = useState(0)
  const { call, data, isPending } = useRpcCall('report')
  const { items, status } = useRpcStream('count', { to: 3 }, { keep: 2 })
  const { isConnected } = useRpcState((state) => ({ isConnected: state.status === 'connected' }))
  useRpcMethod('upper', ({ text }) => `${text.toUpperCase()} ${suffix} ${sum}`)
  return (
    <>
      <p>
        {isConnected ? 'connected' : 'not yet'} {sum} {data ?? 'no report'} {String(isPending)}{' '}
        {status} {items.join(' ')}
      </p>
      <button type="button" onClick={async () => setSum(await rpc.add({ a: sum, b: 1 }))}>
        add
      </button>
      <button type="button" onClick={() => call({ name: suffix, steps: 0 })}>
        report
      </button>
    </>
  )
}
