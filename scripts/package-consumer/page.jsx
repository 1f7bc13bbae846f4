import { tracing } from '@flashrpc/core/opentelemetry'
import { createRpcHooks } from '@flashrpc/react'
import { useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { contract } from './contract.js'

const { RpcProvider, useRpc, useRpcMethod, useRpcState } = createRpcHooks(contract)

const use = tracing()

function Page() {
  const rpc = useRpc()
  const status = useRpcState((state) => state.status)
  const [answers, setAnswers] = useState('')
  useRpcMethod('confirm', () => 'yes')
  useEffect(() => {
    void Promise.all([rpc.add({ a: 5, b: 10 }), rpc.askMe()]).then(([sum, asked]) =>
      setAnswers(`${sum}, asked: ${asked}`),
    )
  }, [rpc])
  return `${status}: ${answers}`
}

createRoot(document.querySelector('main')).render(
  <RpcProvider url={`ws://${location.host}/ws`} use={use}>
    <Page />
  </RpcProvider>,
)
