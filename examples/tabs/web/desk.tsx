import { type ReactElement, useState } from 'react'
import { useRpcCall, useRpcMethod, useRpcState, useRpcStream } from './hooks.js'
import { Question } from './question.js'

/** The same hooks as in a page with a connection of its own. */
export function Desk(): ReactElement {
  const { status, sessionId } = useRpcState(({ status, sessionId }) => ({ status, sessionId }))
  const load = useRpcStream('load', undefined, { keep: 0 })
  const deploy = useRpcCall('deploy')
  const [told, setTold] = useState<string[]>([])
  useRpcMethod('notify', ({ text }) => setTold((earlier) => [...earlier, text]))
  return (
    <>
      <h1>Deploy desk</h1>
      <p role="status">{status}</p>
      <p>
        Session <output>{sessionId}</output>, shared by all tabs
      </p>
      <meter aria-label="Load" min={0} max={100} value={load.latest ?? 0} />
      <p>
        <button type="button" onClick={() => deploy.call({ afterMs: 3_000 })}>
          Deploy
        </button>{' '}
        in 3 s: look at another tab meanwhile
      </p>
      {deploy.error && <p role="alert">{deploy.error.message}</p>}
      <Question />
      <ol role="log">
        {told.map((text, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list only grows
          <li key={index}>{text}</li>
        ))}
      </ol>
    </>
  )
}
