import type { ReactElement } from 'react'
import { useStore } from 'zustand'
import type { Recorder } from '../recorder.js'
import type { TimelineEntry } from '../timeline.js'
import { formatTime } from './format.js'

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
            <th scope="col">What happened</th>
          </tr>
        </thead>
        <tbody>
          {[...timeline].reverse().map((entry) => (
            <tr key={entry.key}>
              <td>{formatTime(entry.at)}</td>
              <td>{entry.status}</td>
              <td className="text">{describe(entry)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function describe({ status, attempt, retryAt, cause, resumed, at }: TimelineEntry): string {
  if (status === 'connected') return resumed ? 'Connected; the session goes on' : 'Connected'
  return [
    cause ?? '',
    retryAt !== null && `The next attempt is in ${Math.max(0, Math.round(retryAt - at))} ms`,
    retryAt === null && attempt > 0 && `Attempt ${attempt}`,
  ]
    .filter(Boolean)
    .join('. ')
}
