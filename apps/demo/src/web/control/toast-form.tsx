import { useRpcCall } from '@flashrpc/react'
import type { FormEvent } from 'react'
import { Card } from '../components/card.js'

/** Sends a toast to every page. */
export function ToastForm() {
  const { call, data, error } = useRpcCall('toast')
  // What comes of it is shown below.
  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    void call({ text: String(new FormData(event.currentTarget).get('text')) })
  }
  const pages = data?.told === 1 ? '1 page' : `${data?.told} pages`
  return (
    <Card title="Toasts" icon="bell" code="await rpc.toast({ text })" className="sender">
      <form className="line" onSubmit={send}>
        <label className="field">
          Toast for all pages
          <input name="text" required maxLength={200} defaultValue="The new version is out" />
        </label>
        <button type="submit" className="button is-primary">
          Send to all
        </button>
      </form>
      <output className="line-outcome" data-failed={error !== undefined && error !== null}>
        {error?.message ?? (data ? `Sent to ${pages}` : 'Not sent yet')}
      </output>
    </Card>
  )
}
