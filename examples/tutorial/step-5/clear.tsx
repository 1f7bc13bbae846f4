import { useRpcCall } from './hooks.ts'

export function Clear() {
  const { call, data, isPending } = useRpcCall('clear')
  return (
    <p>
      <button type="button" disabled={isPending} onClick={() => call()}>
        Delete all
      </button>{' '}
      {data !== undefined && (data ? 'Deleted.' : 'Kept.')}
    </p>
  )
}
