import { electronTransport } from '@flashrpc/electron/renderer'
import { RpcDevtools } from '@flashrpc/react/devtools'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { RpcProvider } from './rpc.ts'
import './style.css'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no element with the id "root"')

createRoot(root).render(
  <StrictMode>
    <RpcProvider transport={electronTransport()}>
      <App />
      {import.meta.env.DEV && <RpcDevtools />}
    </RpcProvider>
  </StrictMode>,
)
