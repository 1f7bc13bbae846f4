import { useRpcMethod } from '@flashrpc/react'
import { useState } from 'react'
import { useNow } from '../hooks/use-now.js'
import { type FeedEntry, withChange } from '../lib/feed.js'
import { Card } from './card.js'
import { CopyButton } from './copy-button.js'
import { Icon } from './icon.js'
import { NotificationItem } from './notification-item.js'

interface NotificationFeedProps {
  /** The folder that is watched, once it is known. */
  folder: string | undefined
  onFirst: () => void
}

/** What changes in the folder, the newest on top. */
export function NotificationFeed({ folder, onFirst }: NotificationFeedProps) {
  const [feed, setFeed] = useState<readonly FeedEntry[]>([])
  const now = useNow(feed.length > 0 ? 1_000 : null)
  useRpcMethod('notify', (change) => {
    setFeed((before) => withChange(before, change))
    onFirst()
  })
  useRpcMethod('watching', () => setFeed([]))
  const clear = feed.length > 0 && (
    <button type="button" className="quiet" onClick={() => setFeed([])}>
      Clear
    </button>
  )
  return (
    <Card
      title="File changes"
      icon="bell"
      code="useRpcMethod('notify', …)"
      className="feed"
      aside={clear}
    >
      {feed.length === 0 ? (
        <EmptyFeed folder={folder} />
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, which has to be possible by keyboard
        <div className="feed-list" role="log" aria-label="File changes" tabIndex={0}>
          <ol>
            {feed.map((entry) => (
              <NotificationItem key={entry.id} entry={entry} now={now} />
            ))}
          </ol>
        </div>
      )}
    </Card>
  )
}

function EmptyFeed({ folder }: { folder: string | undefined }) {
  const command = folder && `echo hello > '${folder}/hello.txt'`
  return (
    <div className="feed-empty">
      <span className="feed-empty-mark">
        <Icon name="bell" />
      </span>
      <h3>Nothing has changed yet</h3>
      <p>Save any file of the folder in your editor, and it is here before you look up.</p>
      {command && (
        <div className="command">
          <code title={command}>{command}</code>
          <CopyButton text={command} what="the command" />
        </div>
      )}
    </div>
  )
}
