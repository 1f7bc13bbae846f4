import type { AnyClient } from '@flashrpc/core'
import { type ReactElement, useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { Row } from '../row.js'
import { copyText } from './copy-text.js'
import { formatBytes, formatCount, formatDuration, formatJson, formatTime } from './format.js'
import { replay, whyNotReplayed } from './replay.js'
import { TONES } from './row-table.js'

/** All of one row. If it takes the place of the rows, it takes the focus, too. */
export function RowDetails({
  row,
  client,
  onClose,
}: {
  row: Row
  client: AnyClient
  onClose: () => void
}): ReactElement {
  const [said, say] = useState('')
  const stop = useRef<() => void>(undefined)
  const [isReplaying, setReplaying] = useState(false)
  useEffect(() => () => stop.current?.(), [])
  const details = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    const rows = details.current?.previousElementSibling
    if (rows && rows.getClientRects().length === 0) details.current?.focus()
  }, [])
  const { answer, messages, messagesLeftOut } = row
  const whyNot = whyNotReplayed(row)

  const copy = async () => {
    const { kind, direction, method, outcome, durationMs, params, answer } = row
    const text = formatJson({ kind, direction, method, outcome, durationMs, params, ...answer })
    say((await copyText(text)) ? 'Copied' : 'This page may not write to the clipboard')
  }
  const again = () => {
    say('Called again: see the newest rows')
    setReplaying(true)
    stop.current = replay(client, row, () => setReplaying(false))
  }
  // One button that says another thing: it has the focus, which another one would not have.
  const isStopped = isReplaying && row.kind === 'stream'
  return (
    <aside ref={details} className="details" aria-label={`Details of ${row.method}`} tabIndex={-1}>
      <div className="bar">
        <h3>
          {row.direction === 'out' ? '→' : '←'} {row.method}
        </h3>
        <button type="button" onClick={copy}>
          Copy as JSON
        </button>
        {whyNot === undefined && (
          <button type="button" onClick={isStopped ? () => stop.current?.() : again}>
            {isStopped ? 'Stop' : 'Call again'}
          </button>
        )}
        <button type="button" className="close" onClick={onClose}>
          Close details
        </button>
        <output>{said}</output>
      </div>
      <dl>
        <dt>Kind</dt>
        <dd>
          {row.kind}, {row.direction === 'out' ? 'to the server' : 'from the server'}
        </dd>
        <dt>Began</dt>
        <dd>{formatTime(row.startedAt)}</dd>
        <dt>Outcome</dt>
        <dd data-tone={TONES[row.outcome]}>
          {row.outcome}, {formatDuration(row.durationMs)}
        </dd>
        <dt>Size</dt>
        <dd>
          {formatBytes(row.bytes)} in {formatCount(messages.length + messagesLeftOut, 'message')}
        </dd>
        {row.items > 0 && (
          <>
            <dt>Items</dt>
            <dd>{row.items}</dd>
          </>
        )}
        {row.progress !== undefined && (
          <>
            <dt>Progress</dt>
            <dd>{formatJson(row.progress)}</dd>
          </>
        )}
        {row.resent > 0 && (
          <>
            <dt>Sent again</dt>
            <dd>{formatCount(row.resent, 'time')}</dd>
          </>
        )}
        {whyNot !== undefined && (
          <>
            <dt>Call again</dt>
            <dd>{whyNot}</dd>
          </>
        )}
      </dl>
      <Json title="Params" value={row.params} />
      {answer && 'result' in answer && <Json title="Result" value={answer.result} />}
      {answer && 'error' in answer && <Json title="Error" value={answer.error} />}
      <h3>Messages</h3>
      {messages.map((message, index) => (
        // A message keeps its place, or is left out from the middle.
        // biome-ignore lint/suspicious/noArrayIndexKey: nothing in it has a state
        <Json key={index} title={describe(message)} value={message.message} isSmall />
      ))}
      {messagesLeftOut > 0 && <p className="muted">{messagesLeftOut} in between are not kept.</p>}
    </aside>
  )
}

function describe({ at, direction, bytes }: Row['messages'][number]): string {
  return `${direction === 'out' ? '→' : '←'} ${formatTime(at)}, ${formatBytes(bytes)}`
}

function Json({
  title,
  value,
  isSmall = false,
}: {
  title: string
  value: unknown
  isSmall?: boolean
}) {
  return (
    <section aria-label={title}>
      {isSmall ? <span className="muted">{title}</span> : <h3>{title}</h3>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long value scrolls, and must do so by keyboard */}
      <pre tabIndex={0}>{formatJson(value)}</pre>
    </section>
  )
}
