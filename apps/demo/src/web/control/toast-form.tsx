import { useRpcCall } from '@flashrpc/react'

/** Sends a toast to every page. */
export function ToastForm() {
  const { call, data, error } = useRpcCall('toast')
  // What comes of it is shown beside.
  const send = (form: FormData) => void call({ text: String(form.get('text')) })
  const pages = data?.told === 1 ? '1 page' : `${data?.told} pages`
  return (
    <form className="line" action={send}>
      <input
        name="text"
        required
        maxLength={200}
        defaultValue="The new version is out"
        aria-label="Toast for all pages"
      />
      <button type="submit" className="button is-primary">
        Send to all
      </button>
      <output>{error?.message ?? (data ? `Told ${pages}` : '')}</output>
    </form>
  )
}
