import { type ReactElement, type ReactNode, useCallback, useState } from 'react'
import { createPortal } from 'react-dom'

/** Renders into a shadow root, which the page's styles do not reach, and whose own reach nothing else. */
export function Shadow({
  theme,
  children,
}: {
  theme: 'auto' | 'light' | 'dark'
  children: ReactNode
}): ReactElement {
  const [root, setRoot] = useState<ShadowRoot>()
  const attach = useCallback((host: HTMLElement | null) => {
    if (host) setRoot(host.shadowRoot ?? host.attachShadow({ mode: 'open' }))
  }, [])
  return (
    <div ref={attach} data-flashrpc-devtools="" data-theme={theme}>
      {root && createPortal(children, root)}
    </div>
  )
}
