import './without-eval.js'
import { RpcProvider } from '@flashrpc/react'
import { contract } from '../contract.js'
import { endpointOf } from './lib/endpoint-of.js'
import { RETRY } from './lib/retry.js'
import { render } from './render.js'
import { browserSurface } from './surfaces/browser-surface.js'

const url = endpointOf(window.location)

render(browserSurface, (page) => (
  <RpcProvider url={url} contract={contract} retry={RETRY}>
    {page}
  </RpcProvider>
))
