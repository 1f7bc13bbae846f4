import './support/register.js'
import { type Client, createClient } from '@flashrpc/core'
import { RpcProvider, useRpcCall, useRpcMethod, useRpcState } from '@flashrpc/react'
import { cleanup, render, screen } from '@testing-library/react'
import { StrictMode, startTransition, useEffect, useReducer, useState } from 'react'
import { afterEach, expect, test } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import { startServer } from './support/servers.js'

afterEach(cleanup)

/** Takes so long to render that React yields in between. */
function workFor(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

test('components that one transition renders never disagree, whatever changes meanwhile', async () => {
  await using server = await startServer()
  const client: Client<typeof contract.client, typeof contract.server> = createClient(contract, {
    url: server.url,
  })
  await client.connect()
  const commits: number[][] = []
  let seen: number[] = []
  let midway = () => {}
  const Reader = ({ index }: { index: number }) => {
    const inFlight = useRpcState((state) => state.inFlight)
    workFor(8)
    if (index === 3) midway()
    useEffect(() => {
      seen[index] = inFlight
    })
    return <li>{inFlight}</li>
  }
  const List = ({ round }: { round: number }) => {
    useEffect(() => {
      commits.push([...seen])
      seen = []
    })
    return (
      <ul>
        {Array.from({ length: 8 }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they never move
          <Reader key={index} index={round >= 0 ? index : 0} />
        ))}
      </ul>
    )
  }
  let go: (round: number) => void = () => {}
  const App = () => {
    const [round, setRound] = useState(0)
    go = (next) => startTransition(() => setRound(next))
    return <List round={round} />
  }
  render(
    <RpcProvider client={client}>
      <App />
    </RpcProvider>,
  )
  for (let round = 1; round <= 5; round++) {
    // In the middle of a render that yields, the state changes.
    midway = () => {
      midway = () => {}
      client.other.slow({ ms: 60_000 }).catch(() => {})
    }
    go(round)
    await expect.poll(() => client.state.inFlight).toBe(round)
    await expect.poll(() => screen.getAllByText(String(round))).toHaveLength(8)
    await expect.poll(() => commits.length).toBeGreaterThan(round)
  }
  expect(commits.length).toBeGreaterThan(5)
  for (const commit of commits) expect(new Set(commit).size).toBe(1)
  await client.close()
})

test('of ten thousand notifications in one turn none is lost to batching', async () => {
  await using server = await startServer()
  const heard: number[] = []
  const Counter = () => {
    const [count, add] = useReducer((sum: number, by: number) => sum + by, 0)
    const [texts, setTexts] = useState<readonly string[]>([])
    useRpcMethod('notify', ({ text }) => {
      heard.push(Number(text))
      add(1)
      setTexts((before) => [...before.slice(-2), text])
    })
    return (
      <p>
        {useRpcState(({ status }) => status)} {count} {texts.join(' ')}
      </p>
    )
  }
  render(
    <StrictMode>
      <RpcProvider url={server.url} contract={contract}>
        <Counter />
      </RpcProvider>
    </StrictMode>,
  )
  await screen.findByText('connected 0')
  await server.notifyMany(10_000)
  await screen.findByText('connected 10000 9998 9999 10000', undefined, { timeout: 10_000 })
  expect(heard).toEqual(Array.from({ length: 10_000 }, (_, n) => n + 1))
})

test('a call in a transition keeps what is shown until its answer is', async () => {
  await using server = await startServer()
  let begin = () => {}
  const Report = () => {
    const { call, data, isPending } = useRpcCall('report')
    begin = () =>
      startTransition(async () => {
        await call({ name: 'a', steps: 0, ms: 20 })
      })
    return (
      <p>
        {data ?? 'nothing'} {isPending ? 'pending' : 'idle'}
      </p>
    )
  }
  render(
    <RpcProvider url={server.url} contract={contract}>
      <Report />
    </RpcProvider>,
  )
  await screen.findByText('nothing idle')
  begin()
  await screen.findByText('nothing pending')
  await screen.findByText('report a idle')
})
