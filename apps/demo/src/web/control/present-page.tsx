import { useRpcCall } from '@flashrpc/react'
import { type FormEvent, useId } from 'react'
import type { Present, Reply } from '../../contract.js'
import { Icon } from '../components/icon.js'

/** Answers by the buttons that give them. */
const ANSWERS: Readonly<Record<Reply, string>> = { yes: 'Yes', no: 'No' }

/** One page, what is mounted there, and a question to it. */
export function PresentPage({ present: { page, name, methods } }: { present: Present }) {
  const id = useId()
  const { call, cancel, data, error, isPending } = useRpcCall('askPage', {
    timeout: Number.POSITIVE_INFINITY,
  })
  const canBeAsked = methods.includes('confirm')
  // What comes of it is shown below.
  const ask = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    void call({ page, text: String(new FormData(event.currentTarget).get('text')) })
  }
  return (
    <li className="card" aria-labelledby={id} data-page={page}>
      <header className="card-head">
        <Icon name="page" />
        <h2 id={id}>Page {page}</h2>
        <span className="card-note" title={name}>
          {name}
        </span>
      </header>
      <ul className="mounted" aria-label={`Mounted in page ${page}`}>
        {methods.map((method) => (
          <li key={method}>
            <code>{method}</code>
          </li>
        ))}
      </ul>
      <form className="line" onSubmit={ask}>
        <label className="field">
          Question to page {page}
          <input name="text" required maxLength={500} defaultValue="Deploy?" />
        </label>
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
      </form>
      <output className="line-outcome" data-failed={error !== undefined && error !== null}>
        {outcomeOf()}
      </output>
    </li>
  )

  function outcomeOf(): string {
    if (isPending) return 'Asked: the page has not answered yet'
    if (!canBeAsked) return 'This page does not take questions.'
    if (error) return error.message
    return data ? `Answer: ${ANSWERS[data]}` : 'Not asked yet'
  }
}
