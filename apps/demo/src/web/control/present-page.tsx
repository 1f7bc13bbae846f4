import { useRpcCall } from '@flashrpc/react'
import { useId } from 'react'
import type { Present } from '../../contract.js'

/** One page, what is mounted there, and a question to it. */
export function PresentPage({ present: { page, name, methods } }: { present: Present }) {
  const id = useId()
  const { call, cancel, data, error, isPending } = useRpcCall('askPage', {
    timeout: Number.POSITIVE_INFINITY,
  })
  const canBeAsked = methods.includes('confirm')
  // What comes of it is shown below.
  const ask = (form: FormData) => void call({ page, text: String(form.get('text')) })
  return (
    <li className="card" aria-labelledby={id} data-page={page}>
      <h2 id={id}>
        Page {page}, {name}
      </h2>
      <ul className="mounted" aria-label={`Mounted in page ${page}`}>
        {methods.map((method) => (
          <li key={method}>
            <code>{method}</code>
          </li>
        ))}
      </ul>
      <form className="line" action={ask}>
        <input
          name="text"
          required
          maxLength={500}
          defaultValue="Deploy?"
          aria-label={`Question to page ${page}`}
        />
        {/* By their keys two buttons: one that became the other while it is clicked would submit. */}
        {isPending ? (
          <button key="cancel" type="button" className="button" onClick={cancel}>
            Take it back
          </button>
        ) : (
          <button key="ask" type="submit" className="button" disabled={!canBeAsked}>
            Ask
          </button>
        )}
        <output>{isPending ? 'Asked …' : (error?.message ?? data ?? '')}</output>
      </form>
      {!canBeAsked && <p className="unread">Its question desk is closed.</p>}
    </li>
  )
}
