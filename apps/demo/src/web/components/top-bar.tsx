import { RpcDevtools } from '@flashrpc/react/devtools'
import type { ReactNode } from 'react'
import { ConnectionBadge } from './connection-badge.js'
import { Icon } from './icon.js'

const NOTICE_ID = 'notice'

/** Where a notice is shown that covers nothing, below the bar; the page's body if there is no bar. */
export function noticePlace(): HTMLElement {
  return document.getElementById(NOTICE_ID) ?? document.body
}

/** The bar on top of a page of the demo: its name, how it is connected, and a look at what passes. */
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
        <RpcDevtools button="inline" />
      </div>
      <div className="top-notice" id={NOTICE_ID} />
    </header>
  )
}
