import { useRpcCall } from './hooks.ts'

export function Compose() {
  const { call, data, error, isPending } = useRpcCall('publish', { timeout: 60_000 })
  const send = (form: FormData) => {
    const to = String(form.get('to'))
    void call({ text: String(form.get('text')), to: to === '' ? undefined : to })
  }
  return (
    <form action={send}>
      <input name="text" aria-label="Text" required />
      <input name="to" aria-label="To" placeholder="everybody" />
      <button type="submit">Publish</button> {isPending && 'Waiting for the server…'}
      {error && <span role="alert">{error.message}</span>}
      {!isPending && !error && data !== undefined && `Published as number ${data}.`}
    </form>
  )
}
