import { electronTransport } from '@flashrpc/electron/renderer'
import { createRpcHooks } from '@flashrpc/react'
import { StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { contract } from './contract.js'

const { RpcProvider, useRpc, useRpcMethod, useRpcPresence, useRpcState } = createRpcHooks(contract)

/** The same component in a window and in a browser's tab. */
function App() {
  const rpc = useRpc()
  const status = useRpcState((state) => state.status)
  const [text, setText] = useState('')
  const [told, setTold] = useState<string[]>([])
  const here = useRpcPresence<{ name: string }>('room')
  const names = here.members.map(({ info, methods }) => `${info?.name} has ${methods?.join()}`)
  useRpcMethod('title', () => `${document.title} says ${text}`)
  useRpcMethod('told', (news) => setTold((before) => [...before, news.text]))
  return (
    <main>
      <output id="status">{status}</output>
      <output id="echo">{text}</output>
      <output id="told">{told.join(' ')}</output>
      <output id="here">
        {here.status}: {here.error?.message ?? names.join('; ')}
      </output>
      <button type="button" onClick={async () => setText(await rpc.echo({ text: 'hello' }))}>
        Ask
      </button>
    </main>
  )
}

const url = new URLSearchParams(location.search).get('url')
const root = createRoot(document.body.appendChild(document.createElement('div')))
root.render(
  <StrictMode>
    {url === null ? (
      <RpcProvider transport={electronTransport()}>
        <App />
      </RpcProvider>
    ) : (
      <RpcProvider url={url}>
        <App />
      </RpcProvider>
    )}
  </StrictMode>,
)
