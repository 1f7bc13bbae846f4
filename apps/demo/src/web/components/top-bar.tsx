import type { ReactNode } from 'react'
import { ConnectionBadge } from './connection-badge.js'
import { Icon } from './icon.js'

/** The bar on top of a page of the demo: its name, and how it is connected. */
export function TopBar({ tag, children }: { tag: string; children?: ReactNode }) {
  return (
    <header className="top">
      <div className="top-inner">
        <div className="brand">
          <span className="brand-mark">
            <Icon name="bolt" />
          </span>
          <span className="brand-name">flashrpc</span>
          <span className="brand-tag">{tag}</span>
        </div>
        {children}
        <ConnectionBadge />
      </div>
    </header>
  )
}
