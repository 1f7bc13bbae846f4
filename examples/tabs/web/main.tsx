import { betweenTabs } from '@flashrpc/core/tabs'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Desk } from './desk.js'
import { RpcProvider } from './hooks.js'

/** Where server.ts listens; `?server=ws://…` names another place. */
const url = new URLSearchParams(location.search).get('server') ?? 'ws://127.0.0.1:8000/ws'

/** Written in one go, as bundlers look for it. */
const share = betweenTabs(
  () => new SharedWorker(new URL('./rpc.worker.ts', import.meta.url), { type: 'module' }),
)

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
createRoot(root).render(
  <StrictMode>
    <RpcProvider url={url} share={share}>
      <Desk />
    </RpcProvider>
  </StrictMode>,
)
