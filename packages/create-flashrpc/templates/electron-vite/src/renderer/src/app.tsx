import { useState } from 'react'
import { Question } from './question.tsx'
import { useRpc, useRpcCall, useRpcMethod, useRpcState, useRpcStream } from './rpc.ts'

export function App() {
  return (
    <main>
      <h1>My app</h1>
      <Status />
      <Deploy />
      <News />
      <Question />
    </main>
  )
}

/** The state of the connection, and a stream from main. */
function Status() {
  const status = useRpcState((state) => state.status)
  const clock = useRpcStream('clock')
  return (
    <p role="status">
      {status} {clock.latest}
    </p>
  )
}

/** A call whose handler asks this page back: see Question. */
function Deploy() {
  const { call, data, error, isPending } = useRpcCall('deploy')
  return (
    <p>
      <button type="button" disabled={isPending} onClick={() => call({ version: 'v1' })}>
        Deploy
      </button>{' '}
      {error?.message ?? data}
    </p>
  )
}

/** Notifications in both directions: the page says something, and main tells all windows. */
function News() {
  const rpc = useRpc()
  const [news, setNews] = useState('')
  useRpcMethod('notify', ({ text }) => setNews(text))
  return (
    <>
      <button type="button" onClick={() => rpc.say({ text: 'Hello from another window' })}>
        Say hello to all windows
      </button>{' '}
      <button type="button" onClick={() => rpc.openWindow()}>
        Open another window
      </button>
      <p role="log">{news}</p>
    </>
  )
}
