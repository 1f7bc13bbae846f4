import type { Welcome } from '../hooks/use-hello.js'
import { useSurface } from '../surfaces/surface.js'
import { Icon } from './icon.js'
import { TopBar } from './top-bar.js'

/** Which demo this is, and how it is connected. */
export function Header({ welcome }: { welcome: Welcome | null }) {
  const { page } = useSurface()
  return (
    <TopBar tag="demo">
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
    </TopBar>
  )
}
