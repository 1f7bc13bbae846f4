import './support/register.js'
import { RpcProvider, useRpc, useRpcMethod } from '@flashrpc/react'
import { cleanup, render, screen } from '@testing-library/react'
import { StrictMode, useEffect, useState } from 'react'
import { afterEach, expect, test } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import { startServer } from './support/servers.js'
import { Status } from './support/status.js'

afterEach(cleanup)

test('the server calls a mounted component and gets its answer', async () => {
  await using server = await startServer()
  const Confirm = () => {
    useRpcMethod('confirm', async ({ text }) => (text === 'Deploy?' ? 'yes' : 'no'))
    return <Status />
  }
  render(
    <RpcProvider url={server.url} contract={contract}>
      <Confirm />
    </RpcProvider>,
  )
  await screen.findByText('connected')
  expect(await server.callAll('confirm', 'Deploy?')).toEqual([{ value: 'yes' }])
  expect(await server.callAll('confirm', 'Delete?')).toEqual([{ value: 'no' }])
})

test('an inline handler is always the newest closure', async () => {
  await using server = await startServer()
  const Counter = ({ n }: { n: number }) => {
    useRpcMethod('upper', ({ text }) => `${text.toUpperCase()} ${n}`)
    return <Status />
  }
  const at = (n: number) => (
    <RpcProvider url={server.url} contract={contract}>
      <Counter n={n} />
    </RpcProvider>
  )
  const { rerender } = render(at(1))
  await screen.findByText('connected')
  expect(await server.callAll('upper', 'a')).toEqual([{ value: 'A 1' }])
  rerender(at(2))
  expect(await server.callAll('upper', 'a')).toEqual([{ value: 'A 2' }])
})

test('StrictMode leaves one registration, and unmounting leaves none', async () => {
  await using server = await startServer()
  const heard: string[] = []
  const Listener = () => {
    useRpcMethod('notify', ({ text }) => void heard.push(text))
    return null
  }
  const at = (mounted: boolean) => (
    <StrictMode>
      <RpcProvider url={server.url} contract={contract}>
        <Status />
        {mounted && <Listener />}
      </RpcProvider>
    </StrictMode>
  )
  const { rerender } = render(at(true))
  await screen.findByText('connected')
  await server.notifyAll('one')
  await expect.poll(() => heard).toEqual(['one'])
  rerender(at(false))
  await server.notifyAll('two')
  rerender(at(true))
  await server.notifyAll('three')
  await expect.poll(() => heard).toEqual(['one', 'three'])
})

test('a call to a method that nobody has mounted says so', async () => {
  await using server = await startServer()
  render(
    <RpcProvider url={server.url} contract={contract}>
      <Status />
    </RpcProvider>,
  )
  await screen.findByText('connected')
  const [answer] = await server.callAll('confirm', 'Anyone?')
  expect(answer).toMatchObject({ code: -32601, data: { reason: 'not-mounted' } })
})

test('of several mounted, a method goes to the newest and a notification to all', async () => {
  await using server = await startServer()
  const heard: string[] = []
  const Named = ({ name }: { name: string }) => {
    useRpcMethod('upper', () => name)
    useRpcMethod('notify', ({ text }) => void heard.push(`${name}: ${text}`))
    return null
  }
  const at = (second: boolean) => (
    <RpcProvider url={server.url} contract={contract}>
      <Status />
      <Named name="first" />
      {second && <Named name="second" />}
    </RpcProvider>
  )
  const { rerender } = render(at(true))
  await screen.findByText('connected')
  expect(await server.callAll('upper', '')).toEqual([{ value: 'second' }])
  await server.notifyAll('hi')
  await expect.poll(() => heard).toEqual(['first: hi', 'second: hi'])
  rerender(at(false))
  expect(await server.callAll('upper', '')).toEqual([{ value: 'first' }])
})

test('a handler that throws is told as an internal error and harms nothing else', async () => {
  await using server = await startServer()
  const Thrower = () => {
    useRpcMethod('upper', () => {
      throw 'a string'
    })
    useRpcMethod('confirm', () => 'yes')
    return <Status />
  }
  render(
    <RpcProvider url={server.url} contract={contract}>
      <Thrower />
    </RpcProvider>,
  )
  await screen.findByText('connected')
  const [answer] = await server.callAll('upper', 'x')
  expect(answer).toMatchObject({ code: -32603, message: 'Internal error in "upper"' })
  expect(await server.callAll('confirm', 'x')).toEqual([{ value: 'yes' }])
})

test('calls nest: the component calls the server, which calls the component back', async () => {
  await using server = await startServer()
  const Nested = () => {
    const rpc = useRpc()
    const [answer, setAnswer] = useState('')
    useRpcMethod('upper', ({ text }) => text.toUpperCase())
    useEffect(() => {
      void rpc.askBack({ text: 'hello' }).then(setAnswer)
    }, [rpc])
    return <p>{answer}</p>
  }
  render(
    <RpcProvider url={server.url} contract={contract}>
      <Nested />
    </RpcProvider>,
  )
  expect(await screen.findByText('the page says HELLO')).toBeTruthy()
})

test('a handler sets state, and what it shows is on screen', async () => {
  await using server = await startServer()
  const Toasts = () => {
    const [toasts, setToasts] = useState<string[]>([])
    useRpcMethod('notify', ({ text }) => setToasts((old) => [...old, text]))
    return (
      <>
        <Status />
        <p>{toasts.join(',')}</p>
      </>
    )
  }
  render(
    <RpcProvider url={server.url} contract={contract}>
      <Toasts />
    </RpcProvider>,
  )
  await screen.findByText('connected')
  for (let n = 0; n < 20; n++) await server.notifyAll(String(n))
  const all = Array.from({ length: 20 }, (_, n) => n).join(',')
  expect(await screen.findByText(all)).toBeTruthy()
})
