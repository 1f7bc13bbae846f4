import type { ReactElement } from 'react'
import { useStore } from 'zustand'
import type { Recorder } from '../recorder.js'
import type { TimelineEntry } from '../timeline.js'
import { formatDuration, formatTime } from './format.js'

/** How the connection has fared: each attempt, and what came of it, the newest first. */
export function TimelineView({ recorder }: { recorder: Recorder }): ReactElement {
  const timeline = useStore(recorder.store, (recording) => recording.timeline)
  return (
    <div className="scroll">
      <table>
        <caption hidden>The connection's history, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Status</th>
            <th scope="col">Event</th>
          </tr>
        </thead>
        <tbody>
          {[...timeline].reverse().map((entry) => (
            <tr key={entry.key}>
              <td>{formatTime(entry.at)}</td>
              <td data-tone={toneOf(entry.status)}>{entry.status}</td>
              <td className="text">{describe(entry)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** How a status is coloured. */
function toneOf(status: TimelineEntry['status']): 'good' | 'bad' | 'none' {
  if (status === 'connected') return 'good'
  return status === 'failed' || status === 'unauthorized' || status === 'offline' ? 'bad' : 'none'
}

function describe({ status, attempt, retryAt, cause, resumed, at }: TimelineEntry): string {
  if (status === 'connected') return resumed ? 'Connected; the session goes on' : 'Connected'
  const parts = [
    cause,
    retryAt !== null && `The next attempt is in ${formatDuration(Math.max(0, retryAt - at))}`,
    retryAt === null && attempt > 0 && `Attempt ${attempt}`,
  ].filter(Boolean)
  return parts.join('. ') || (status === 'idle' ? 'Not connected yet' : 'Begins to connect')
}
