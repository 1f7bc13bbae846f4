'use client'

import { useState } from 'react'
import { Question } from './question.tsx'
import { useRpc, useRpcCall, useRpcMethod, useRpcState, useRpcStream } from './rpc.ts'

export function Desk() {
  return (
    <>
      <Status />
      <Deploy />
      <News />
      <Question />
    </>
  )
}

/** The state of the connection, and a stream from the server. */
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

/** Notifications in both directions: the page says something, and the server tells all pages. */
function News() {
  const rpc = useRpc()
  const [news, setNews] = useState('')
  useRpcMethod('notify', ({ text }) => setNews(text))
  return (
    <>
      <button type="button" onClick={() => rpc.say({ text: 'Hello from another page' })}>
        Say hello to all pages
      </button>
      <p role="log">{news}</p>
    </>
  )
}
