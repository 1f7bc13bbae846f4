import { createTestServer } from '@flashrpc/react/testing'
import { cleanup, configure, render, screen } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'
import { Desk } from '../app/desk.tsx'
import { contract } from '../rpc/contract.ts'

// How long `findBy…` waits: on a machine that is busy with other things, its default of 1 s is short.
configure({ asyncUtilTimeout: 5_000 })
afterEach(cleanup)

/** Renders the client components, with a server in memory. */
function start() {
  const said: string[] = []
  const server = createTestServer(contract, {
    methods: {
      deploy: async ({ version }, { channel }) =>
        `${version}: ${await channel.other.confirm({ text: `Deploy ${version}?` })}`,
      say: ({ text }) => void said.push(text),
      async *clock() {
        yield '12:00:00'
      },
    },
  })
  render(<Desk />, { wrapper: server.wrapper })
  return { page: server.page, said }
}

test('shows the connection and the time', async () => {
  start()
  expect(await screen.findByText('connected 12:00:00')).toBeTruthy()
})

test('asks before it deploys', async () => {
  start()
  screen.getByText('Deploy').click()
  ;(await screen.findByText('No')).click()
  expect(await screen.findByText('v1: no')).toBeTruthy()
  expect(screen.queryByRole('alertdialog')).toBeNull()
})

test('says hello, and shows what the server tells', async () => {
  const { page, said } = start()
  const { other } = await page()
  screen.getByText('Say hello to all pages').click()
  await expect.poll(() => said).toEqual(['Hello from another page'])
  await other.notify({ text: 'Welcome!' })
  expect(await screen.findByText('Welcome!')).toBeTruthy()
})
