import './support/register.js'
import { createServer } from 'node:net'
import { RpcProvider, useRpc, useRpcMethod, useRpcState } from '@flashrpc/react'
import { renderToString } from 'react-dom/server'
import { expect, test } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'

function Page() {
  useRpcMethod('confirm', () => 'yes')
  const { add } = useRpc()
  return (
    <output>
      {useRpcState((state) => state.status)}
      {typeof add}
    </output>
  )
}

test('rendering on a server shows the idle state and opens no socket', async () => {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const html = renderToString(
    <RpcProvider url={`ws://127.0.0.1:${port}`} contract={contract}>
      <Page />
    </RpcProvider>,
  )
  expect(html).toBe('<output>idle<!-- -->function</output>')
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(connections).toBe(0)
  await new Promise((resolve) => server.close(resolve))
})
