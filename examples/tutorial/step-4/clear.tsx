import { useRpcCall } from './hooks.ts'

export function Clear() {
  const { call, data, error, isPending } = useRpcCall('clear')
  return (
    <p>
      <button type="button" disabled={isPending} onClick={() => call()}>
        Delete all
      </button>{' '}
      {error && <span role="alert">{error.message}</span>}
      {!isPending && !error && data !== undefined && (data ? 'Deleted.' : 'Kept.')}
    </p>
  )
}
