import type { AnyClient } from '@flashrpc/core'
import { type ReactElement, useEffect, useRef, useState } from 'react'
import type { Row } from '../row.js'
import { copyText } from './copy-text.js'
import { formatBytes, formatDuration, formatJson, formatTime } from './format.js'
import { replay, whyNotReplayed } from './replay.js'

/** One row, all of it. */
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
  return (
    <aside className="details" aria-label={`Details of ${row.method}`}>
      <h3>
        {row.direction === 'out' ? '→' : '←'} {row.method}
      </h3>
      <div className="bar">
        <button type="button" onClick={copy}>
          Copy as JSON
        </button>
        {whyNot === undefined && (
          <button type="button" onClick={again} disabled={isReplaying && row.kind === 'stream'}>
            Call again
          </button>
        )}
        {isReplaying && row.kind === 'stream' && (
          <button type="button" onClick={() => stop.current?.()}>
            Stop
          </button>
        )}
        <button type="button" onClick={onClose}>
          Close details
        </button>
        <output>{said}</output>
      </div>
      <dl>
        <dt>Began</dt>
        <dd>{formatTime(row.startedAt)}</dd>
        <dt>Outcome</dt>
        <dd data-outcome={row.outcome}>
          {row.outcome}, {formatDuration(row.durationMs)}
        </dd>
        <dt>Size</dt>
        <dd>
          {formatBytes(row.bytes)} in {messages.length + messagesLeftOut} messages
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
            <dd>{row.resent} times</dd>
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
      {/* Long ones scroll, which has to be possible by keyboard. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: see above */}
      <pre tabIndex={0}>{formatJson(value)}</pre>
    </section>
  )
}
