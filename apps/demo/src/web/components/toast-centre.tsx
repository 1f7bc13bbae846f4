import { useNow } from '../hooks/use-now.js'
import { useToasts } from '../hooks/use-toasts.js'
import { formatAgo } from '../lib/format.js'
import { useSurface } from '../surfaces/surface.js'
import { Card } from './card.js'

/** What the server has sent to this page: read or not, until it is put away. */
export function ToastCentre() {
  const { toasts, markRead, dismiss } = useToasts()
  const { controlPage } = useSurface()
  const now = useNow(toasts.length > 0 ? 1_000 : null)
  const unread = toasts.filter(({ isRead }) => !isRead).length
  const aside = toasts.length > 0 && (
    <>
      {unread > 0 && (
        <button type="button" className="quiet" onClick={markRead}>
          Mark read
        </button>
      )}
      <button type="button" className="quiet" onClick={() => dismiss()}>
        Clear
      </button>
    </>
  )
  return (
    <Card title="Toasts" icon="bell" code="useRpcMethod('toast', …)" aside={aside}>
      <p className="unread" role="status">
        {toasts.length === 0 ? 'No toasts yet.' : unread === 0 ? 'None unread' : `${unread} unread`}
        {toasts.length === 0 && controlPage && (
          <>
            {' '}
            Send one from the{' '}
            <a href={controlPage} target="_blank" rel="noreferrer">
              control page
            </a>
            .
          </>
        )}
      </p>
      <ol className="messages" aria-label="Toasts" tabIndex={toasts.length > 0 ? 0 : undefined}>
        {toasts.map(({ id, text, at, isRead }) => (
          <li key={id} data-read={isRead}>
            <span className="message-text">{text}</span>
            <time>{formatAgo(now - at)}</time>
            <button
              type="button"
              className="quiet"
              aria-label={`Dismiss “${text}”`}
              onClick={() => dismiss(id)}
            >
              Dismiss
            </button>
          </li>
        ))}
      </ol>
    </Card>
  )
}
