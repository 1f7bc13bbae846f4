import { useRpcState } from './hooks.ts'

export function Status() {
  const status = useRpcState((state) => state.status)
  return <p>The connection is {status}.</p>
}
