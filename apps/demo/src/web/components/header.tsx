import type { Welcome } from '../hooks/use-hello.js'
import { useSurface } from '../surfaces/surface.js'
import { ConnectionBadge } from './connection-badge.js'
import { Icon } from './icon.js'

/** Which demo this is, and how it is connected. */
export function Header({ welcome }: { welcome: Welcome | null }) {
  const { page } = useSurface()
  return (
    <header className="top">
      <div className="top-inner">
        <div className="brand">
          <span className="brand-mark">
            <Icon name="bolt" />
          </span>
          <span className="brand-name">flashrpc</span>
          <span className="brand-tag">demo</span>
        </div>
        {welcome && (
          <p className="place" title={welcome.folder}>
            <span className="place-page">
              {page} {welcome.page}
            </span>
            <span className="place-folder">
              <Icon name="folder" />
              {/* Isolated, so that the ellipsis may stand at the path's beginning. */}
              <bdi>{welcome.folder}</bdi>
            </span>
          </p>
        )}
        <ConnectionBadge />
      </div>
    </header>
  )
}
