import './without-eval.js'
import './styles/base.css'
import './styles/layout.css'
import './styles/components.css'
import './styles/reduced-motion.css'
import './register.js'
import { RpcProvider } from '@flashrpc/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { contract } from '../contract.js'
import { ControlRoom } from './control/control-room.js'
import { endpointOf } from './lib/endpoint-of.js'
import { keepFocus } from './lib/keep-focus.js'
import { RETRY } from './lib/retry.js'
import { browserSurface } from './surfaces/browser-surface.js'
import { SurfaceContext } from './surfaces/surface.js'

const root = document.getElementById('root')
if (!root) throw new Error('The HTML has no #root')
keepFocus(root)
createRoot(root).render(
  <StrictMode>
    <SurfaceContext value={browserSurface}>
      <RpcProvider url={endpointOf(window.location)} contract={contract} retry={RETRY}>
        <ControlRoom />
      </RpcProvider>
    </SurfaceContext>
  </StrictMode>,
)
