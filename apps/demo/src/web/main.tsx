import './without-eval.js'
import { BrowserConnection } from './components/browser-connection.js'
import { endpointOf } from './lib/endpoint-of.js'
import { render } from './render.js'
import { browserSurface } from './surfaces/browser-surface.js'

const url = endpointOf(window.location)

render(browserSurface, (page) => <BrowserConnection url={url}>{page}</BrowserConnection>)
