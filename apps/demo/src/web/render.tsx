import './styles/base.css'
import './styles/layout.css'
import './styles/components.css'
import './styles/reduced-motion.css'
import './register.js'
import { type ReactNode, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.js'
import { keepFocus } from './lib/keep-focus.js'
import { type Surface, SurfaceContext } from './surfaces/surface.js'

/**
 * Draws the page: the same one in a browser and in the app's windows.
 *
 * @param provide puts the provider around it, which knows what it is connected by.
 */
export function render(surface: Surface, provide: (page: ReactNode) => ReactNode): void {
  const root = document.getElementById('root')
  if (!root) throw new Error('The HTML has no #root')
  keepFocus(root)
  createRoot(root).render(
    <StrictMode>
      <SurfaceContext value={surface}>{provide(<App />)}</SurfaceContext>
    </StrictMode>,
  )
}
