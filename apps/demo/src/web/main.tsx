import './without-eval.js'
import { RpcProvider } from '@flashrpc/react'
import { contract, RPC_PATH } from '../contract.js'
import { RETRY, render } from './render.js'
import { browserSurface } from './surfaces/browser-surface.js'

const { protocol, host } = window.location
const url = `${protocol === 'https:' ? 'wss' : 'ws'}://${host}${RPC_PATH}`

render(browserSurface, (page) => (
  <RpcProvider url={url} contract={contract} retry={RETRY}>
    {page}
  </RpcProvider>
))
