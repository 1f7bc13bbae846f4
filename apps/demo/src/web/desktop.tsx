import './without-eval.js'
import { electronTransport } from '@flashrpc/electron/renderer'
import { RpcProvider } from '@flashrpc/react'
import { contract } from '../contract.js'
import { RETRY } from './lib/retry.js'
import { render } from './render.js'
import { desktopSurface } from './surfaces/desktop-surface.js'

const transport = electronTransport()

render(desktopSurface, (page) => (
  <RpcProvider transport={transport} contract={contract} retry={RETRY}>
    {page}
  </RpcProvider>
))
