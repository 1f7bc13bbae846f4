import { type ReactElement, useEffect, useState } from 'react'
import { useStore } from 'zustand'
import { storeOf } from '../../store.js'
import type { Recorder } from '../recorder.js'
import { formatBytes } from './format.js'

/** How often it looks again, in ms. */
const LOOK_MS = 500

/** The state of the connection: its session, what is acknowledged, what waits. */
export function ConnectionView({ recorder }: { recorder: Recorder }): ReactElement {
  const state = useStore(storeOf(recorder.client))
  const [snapshot, setSnapshot] = useState(() => recorder.snapshot())
  useEffect(() => {
    const timer = setInterval(() => setSnapshot(recorder.snapshot()), LOOK_MS)
    return () => clearInterval(timer)
  }, [recorder])
  const { session, isExtended, bufferedBytes, peerMaxMessage } = snapshot
  const facts: readonly (readonly [string, string | number | null])[] = [
    ['Status', state.status],
    ['Last error', state.lastError?.message ?? 'none'],
    [
      'Round trip',
      state.latencyMs === null ? 'not asked yet' : `${Math.round(state.latencyMs)} ms`,
    ],
    ['The server speaks', isExtended === null ? null : isExtended ? 'flashrpc' : 'JSON-RPC 2.0'],
    ['Session', session?.id ?? 'none'],
    ['Goes on with the one before', state.resumed ? 'yes' : 'no'],
    ['Messages sent', session?.sent ?? null],
    ['… acknowledged', session?.acknowledged ?? null],
    [
      '… kept until then',
      session && `${session.sent - session.acknowledged}, ${formatBytes(session.keptBytes)}`,
    ],
    ['Messages received', session?.received ?? null],
    ['Calls in flight', state.inFlight],
    ['Calls of the server that run here', snapshot.running],
    ['Waiting to be sent', snapshot.queued],
    ['In the socket', bufferedBytes === null ? null : formatBytes(bufferedBytes)],
    [
      'The largest message the server takes',
      peerMaxMessage === null ? null : formatBytes(peerMaxMessage),
    ],
  ]
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, which has to be possible by keyboard
    <section className="scroll" aria-label="The connection" tabIndex={0}>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt>{name}</dt>
            <dd>{value ?? 'not known'}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
