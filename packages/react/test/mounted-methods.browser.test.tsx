import './support/register.js'
import { useRpcMethod } from '@flashrpc/react'
import { cleanup, render, screen } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach, expect, test } from 'vitest'
import { startServer, type TestServer } from './support/servers.js'
import { StrictApp } from './support/strict-app.js'

afterEach(cleanup)

/** Longer than any test: where a wait of it ends, something has ended it. */
const LONG = 60_000

function Confirm({ answer, waitForMount }: { answer: 'yes' | 'no'; waitForMount?: number }) {
  useRpcMethod('confirm', () => answer, waitForMount === undefined ? {} : { waitForMount })
  return null
}

function Upper() {
  useRpcMethod('upper', ({ text }) => text.toUpperCase())
  return null
}

/** An app of which parts are mounted, and others are not. */
function appOf(server: TestServer, waitForMount = 0) {
  return (parts: ReactNode) => (
    <StrictApp url={server.url} waitForMount={waitForMount}>
      {parts}
    </StrictApp>
  )
}

test('the server knows which methods are mounted', async () => {
  await using server = await startServer()
  const app = appOf(server)
  const { rerender } = render(app(<Upper />))
  await screen.findByText('connected')
  expect(await server.mounted()).toEqual([['upper']])
  rerender(
    app(
      <>
        <Upper />
        <Confirm answer="yes" />
      </>,
    ),
  )
  await expect.poll(() => server.mounted()).toEqual([['confirm', 'upper']])
  rerender(app(<Confirm answer="yes" />))
  await expect.poll(() => server.mounted()).toEqual([['confirm']])
  rerender(app(null))
  await expect.poll(() => server.mounted()).toEqual([[]])
})

test('and knows it again after it was away', async () => {
  await using server = await startServer()
  render(appOf(server)(<Confirm answer="yes" />))
  await screen.findByText('connected')
  await server.stop()
  await screen.findByText('reconnecting')
  await server.restart()
  await screen.findByText('connected')
  expect(await server.mounted()).toEqual([['confirm']])
})

test('a call waits for a component to mount, as long as the provider says', async () => {
  await using server = await startServer()
  const app = appOf(server, LONG)
  const { rerender } = render(app(null))
  await screen.findByText('connected')
  const answers = server.callAll('confirm', 'Deploy?')
  // Whatever comes first: the call to the page, or the component in it.
  rerender(app(<Confirm answer="yes" />))
  expect(await answers).toEqual([{ value: 'yes' }])
})

test('a call waits for the next component, as long as the last one said', async () => {
  await using server = await startServer()
  const app = appOf(server)
  const { rerender } = render(app(<Confirm answer="no" waitForMount={LONG} />))
  await screen.findByText('connected')
  rerender(app(null))
  await expect.poll(() => server.mounted()).toEqual([[]])
  const answers = server.callAll('confirm', 'Deploy?')
  rerender(app(<Confirm answer="yes" />))
  expect(await answers).toEqual([{ value: 'yes' }])
})
