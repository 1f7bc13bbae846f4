import { useRpcCall } from './hooks.ts'

export function Compose() {
  const { call, data, error, isPending } = useRpcCall('publish', { timeout: 60_000 })
  return (
    <form action={(form) => void call({ text: String(form.get('text')) })}>
      <input name="text" aria-label="Text" required />
      <button type="submit">Publish</button> {isPending && 'Waiting for the server…'}
      {error && <span role="alert">{error.message}</span>}
      {!isPending && !error && data !== undefined && `Published as number ${data}.`}
    </form>
  )
}
