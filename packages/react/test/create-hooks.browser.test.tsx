import { defineContract, method } from '@flashrpc/core'
import { createRpcHooks } from '@flashrpc/react'
import { cleanup, render, screen } from '@testing-library/react'
import { useEffect, useState } from 'react'
import { afterEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { contract } from '../../../scripts/test-server/contract.js'
import { startServer } from './support/servers.js'

afterEach(cleanup)

const main = createRpcHooks(contract)
const other = createRpcHooks(
  defineContract({
    server: {
      add: method({ params: z.object({ a: z.number(), b: z.number() }), result: z.number() }),
    },
  }),
)

test('hooks of several contracts find their own providers, however they are nested', async () => {
  await using one = await startServer()
  await using two = await startServer()
  const Both = () => {
    const first = main.useRpc()
    const second = other.useRpc()
    const [text, setText] = useState('')
    main.useRpcMethod('upper', ({ text }) => text.toUpperCase())
    useEffect(() => {
      void Promise.all([first.askBack({ text: 'a' }), second.add({ a: 1, b: 1 })]).then((answers) =>
        setText(answers.join(' and ')),
      )
    }, [first, second])
    return (
      <p>
        {text}, {main.useRpcState((state) => state.status)}
      </p>
    )
  }
  render(
    <main.RpcProvider url={one.url}>
      <other.RpcProvider url={two.url}>
        <Both />
      </other.RpcProvider>
    </main.RpcProvider>,
  )
  expect(await screen.findByText('the page says A and 2, connected')).toBeTruthy()
  expect(await one.count()).toEqual({ open: 1, ever: 1 })
  expect(await two.count()).toEqual({ open: 1, ever: 1 })
})

test('a hook under the provider of another contract only says which one it needs', () => {
  const silence = vi.spyOn(console, 'error').mockImplementation(() => {})
  const Lost = () => <p>{typeof main.useRpc()}</p>
  expect(() =>
    render(
      <other.RpcProvider url="ws://127.0.0.1:1">
        <Lost />
      </other.RpcProvider>,
    ),
  ).toThrow(/use the <RpcProvider> that was made with them/)
  silence.mockRestore()
})
