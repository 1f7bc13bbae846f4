import './styles/base.css'
import './styles/layout.css'
import './styles/components.css'
import './styles/reduced-motion.css'
import './without-eval.js'
import './register.js'
import { RpcProvider } from '@flashrpc/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { contract, RPC_PATH } from '../contract.js'
import { App } from './app.js'

const { protocol, host } = window.location
const url = `${protocol === 'https:' ? 'wss' : 'ws'}://${host}${RPC_PATH}`

/** A person watches: no reason to wait half a minute between attempts. */
const retry = { minDelayMs: 1_000, maxDelayMs: 8_000 }

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
createRoot(root).render(
  <StrictMode>
    <RpcProvider url={url} contract={contract} retry={retry}>
      <App />
    </RpcProvider>
  </StrictMode>,
)
