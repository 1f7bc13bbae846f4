import './support/register.js'
import { type Client, createClient, ErrorCode } from '@flashrpc/core'
import { type RpcPresence, RpcProvider, useRpcPresence } from '@flashrpc/react'
import { act, cleanup, render, screen } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { contract } from '../../../scripts/test-server/contract.js'
import { startServer, type TestServer } from './support/servers.js'
import { StrictApp } from './support/strict-app.js'

interface Info {
  name: string
}

type Other = Client<typeof contract.client, typeof contract.server>

let server: TestServer
let presence: RpcPresence<Info>
const others: Other[] = []

beforeEach(async () => {
  server = await startServer()
})

afterEach(async () => {
  cleanup()
  for (const other of others.splice(0)) await other.close()
  await server[Symbol.asyncDispose]()
})

/** Another client, which is in the room. */
async function join(name: string, group = 'room'): Promise<Other> {
  const other = createClient(contract, { url: server.url })
  others.push(other)
  await other.other.join({ group, name })
  return other
}

const namesOf = ({ members }: RpcPresence<Info>) => members.map(({ info }) => info?.name).join()

function Who({ group = 'room', enabled = true }: { group?: string; enabled?: boolean }) {
  const here = useRpcPresence<Info>(group, { enabled })
  presence = here
  return (
    <p>
      {here.status}: {namesOf(here)}
    </p>
  )
}

function app(children: ReactNode) {
  return <StrictApp url={server.url}>{children}</StrictApp>
}

describe('useRpcPresence', () => {
  test('shows who is in a group, live', async () => {
    const ada = await join('Ada')
    render(app(<Who />))
    expect(presence).toEqual({
      members: [],
      unreached: [],
      status: 'waiting',
      error: null,
      restart: expect.any(Function),
    })
    await screen.findByText('live: Ada')
    const bob = await join('Bob')
    await screen.findByText('live: Ada,Bob')
    expect(presence.members[1]).toEqual({
      id: bob.state.sessionId,
      isConnected: true,
      info: { name: 'Bob' },
      methods: [],
    })
    await act(async () => void bob.expose('upper', ({ text }) => text))
    await expect.poll(() => presence.members[1]?.methods).toEqual(['upper'])
    await bob.other.join({ group: 'room', name: 'Robert' })
    await screen.findByText('live: Ada,Robert')
    await ada.close()
    await screen.findByText('live: Robert')
  })

  test('components share one watch of a group, which ends with the last of them', async () => {
    await join('Ada')
    const { rerender } = render(
      app(
        <>
          <Who key="1" />
          <Who key="2" />
        </>,
      ),
    )
    await expect.poll(() => screen.queryAllByText('live: Ada')).toHaveLength(2)
    expect(await server.running()).toBe(1)
    rerender(
      app(
        <>
          <Who key="2" />
          <Who key="3" />
        </>,
      ),
    )
    // It has what is known at once.
    expect(screen.queryAllByText('live: Ada')).toHaveLength(2)
    expect(await server.running()).toBe(1)
    rerender(app(<Who key="3" enabled={false} />))
    await screen.findByText('idle:')
    await expect.poll(() => server.running()).toBe(0)
    rerender(app(<Who key="3" />))
    await screen.findByText('live: Ada')
    rerender(app(null))
    await expect.poll(() => server.running()).toBe(0)
  })

  test('another group is another watch', async () => {
    await join('Ada')
    await join('Bob', 'hall')
    const { rerender } = render(app(<Who />))
    await screen.findByText('live: Ada')
    rerender(app(<Who group="hall" />))
    await screen.findByText('live: Bob')
    expect(await server.running()).toBe(1)
  })

  test('asks again when its connection was lost, and shows the last known members meanwhile', async () => {
    await join('Ada')
    render(app(<Who />))
    await screen.findByText('live: Ada')
    await server.stop()
    await screen.findByText('waiting: Ada')
    await server.restart()
    await join('Bob')
    await screen.findByText(/^live: .*Bob/, undefined, { timeout: 10_000 })
  })

  test('is live although a call begins when the members come', async () => {
    await join('Ada')
    const client: Other = createClient(contract, { url: server.url })
    others.push(client)
    await client.connect()
    let called = 0
    client.tap({
      connected: (wire) => ({
        send: (frame) => wire.send(frame),
        receive(frame) {
          wire.receive(frame)
          if (!String(frame).includes('"all"')) return
          // Ahead of the timer after which the members are shown: the client's state changes.
          setTimeout(() => {
            called++
            void client.other.visits()
          }, 0)
        },
        ended: () => {},
      }),
    })
    render(
      <RpcProvider client={client}>
        <Who />
      </RpcProvider>,
    )
    await screen.findByText('live: Ada')
    expect(called).toBe(1)
  })

  test('fails with the reason, and is asked again by restart()', async () => {
    const client: Other = createClient(contract, { url: server.url })
    others.push(client)
    render(
      <RpcProvider client={client}>
        <Who group="secret" />
      </RpcProvider>,
    )
    await screen.findByText('failed:')
    expect(presence.error).toMatchObject({
      code: ErrorCode.unauthorized,
      message: expect.stringContaining('Not allowed to see who is in the group "secret"'),
    })
    await client.other.join({ group: 'secret', name: 'Ada' })
    await act(async () => presence.restart())
    await screen.findByText('live: Ada')
    expect(presence.members[0]?.id).toBe(client.state.sessionId)
    // Who leaves sees nothing of it any more.
    await client.other.leave({ group: 'secret' })
    await screen.findByText('failed:')
    expect(presence.members).toEqual([])
  })

  test('a wrong name of a group is an error when it is rendered', () => {
    expect(() => render(app(<Who group="" />))).toThrow("A group's name is text")
  })
})
