import { useRpcPresence, useRpcState } from '@flashrpc/react'
import type { CSSProperties } from 'react'
import { PAGES, type PageInfo } from '../../contract.js'

/** The most that are shown one by one. */
const MOST = 8

/** The pages that are open now, at whichever browser: a circle for each. */
export function Avatars() {
  const { members, status } = useRpcPresence<PageInfo>(PAGES)
  const own = useRpcState((state) => state.sessionId)
  const pages = members
    .flatMap(({ id, isConnected, info }) => (info ? [{ id, isConnected, ...info }] : []))
    .sort((a, b) => a.page - b.page)
  return (
    <ul className="avatars" aria-label="Open now" aria-busy={status !== 'live'}>
      {pages.slice(0, MOST).map(({ id, isConnected, page, name }) => {
        const label = `Page ${page}: ${name}${id === own ? ' (this one)' : ''}`
        return (
          <li
            key={id}
            aria-label={label}
            title={label}
            data-own={id === own}
            data-away={!isConnected}
            style={{ '--hue': page * 67 } as CSSProperties}
          >
            {page}
          </li>
        )
      })}
      {pages.length > MOST && (
        <li aria-label={`${pages.length - MOST} more pages`}>+{pages.length - MOST}</li>
      )}
    </ul>
  )
}
