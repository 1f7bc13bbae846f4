import { useRpcState } from './hooks.ts'

export function Status() {
  const { status, lastError } = useRpcState(({ status, lastError }) => ({ status, lastError }))
  return (
    <p>
      The connection is {status}. {status === 'unauthorized' && lastError?.message}
    </p>
  )
}
