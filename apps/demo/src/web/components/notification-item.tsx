import { memo } from 'react'
import type { FeedEntry } from '../lib/feed.js'
import { formatAgo, formatBytes, splitPath } from '../lib/format.js'
import { Icon } from './icon.js'

const LABELS = { added: 'Added', changed: 'Changed', removed: 'Removed' } as const

/** One change of one file. */
export const NotificationItem = memo(
  ({ entry, now }: { entry: FeedEntry; now: number }) => {
    const { kind, path, bytes, at, times, skipped } = entry
    const { folder, name } = splitPath(path)
    return (
      <li className="change" data-kind={kind} data-path={path}>
        <div className="change-row">
          <span className="change-mark">
            <Icon name={kind} />
          </span>
          <div className="change-text">
            <p className="change-path" title={path}>
              <span className="change-folder">{folder}</span>
              <span className="change-name">{name}</span>
            </p>
            <p className="change-detail">
              <span className="change-kind">{LABELS[kind]}</span>
              {bytes !== null && <span>{formatBytes(bytes)}</span>}
              {times > 1 && <span>{times} times</span>}
              {skipped > 0 && <span>and {skipped} more changes before</span>}
            </p>
          </div>
          <time dateTime={new Date(at).toISOString()} title={new Date(at).toLocaleString()}>
            {formatAgo(now - at)}
          </time>
        </div>
      </li>
    )
  },
  (before, after) =>
    before.entry === after.entry &&
    formatAgo(before.now - before.entry.at) === formatAgo(after.now - after.entry.at),
)
