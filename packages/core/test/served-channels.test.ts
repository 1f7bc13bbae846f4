import { type AnyClient, createClient, memoryTransportPair } from '@flashrpc/core'
import { ServedChannels, type ServedOptions } from '@flashrpc/core/internal'
import { afterEach, describe, expect, test } from 'vitest'
import { polled } from './support/eventually.js'
import { rejection } from './support/rejection.js'
import { watchGroup } from './support/watched-group.js'

/** The channels of hosts, such as Electron's main: see `members.test.ts` for those of endpoints. */

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

function serve(options: ServedOptions = {}) {
  const served = new ServedChannels(
    undefined,
    { logger: false, methods: {}, ...options },
    { made: 'host', before: 'its first page connects' },
  )
  const connect = () => {
    const [ours, theirs] = memoryTransportPair()
    const channel = served.open(ours, 'Ada')
    const client: AnyClient = createClient({
      transport: () => theirs,
      logger: false,
      autoConnect: false,
    })
    opened.push(() => client.close())
    return { channel, client }
  }
  return { served, connect }
}

const allow = (group: string, { channel }: { channel: { groups: ReadonlySet<string> } }) =>
  channel.groups.has(group)

describe('the channels of a host', () => {
  test('a member that has joined before its handshake is connected after it', async () => {
    const { connect } = serve({ presence: { allow: () => true } })
    const ada = connect()
    await ada.client.connect()
    const watched = watchGroup(ada.client, 'room')
    await polled(() => watched.items).toHaveLength(1)
    const bob = connect()
    bob.channel.join('room', { info: 'Bob' })
    const isConnected = () => watched.members.get(bob.channel.id)?.isConnected
    await polled(isConnected).toBe(false)
    await bob.client.connect()
    await polled(isConnected).toBe(true)
    await bob.client.close()
    await polled(isConnected).toBeUndefined()
  })

  test('are told of one another only as presence allows', async () => {
    const { connect } = serve({ presence: { allow } })
    const [ada, bob] = [connect(), connect()]
    for (const { client } of [ada, bob]) await client.connect()
    ada.channel.join('room', { info: { name: 'Ada' } })
    const [own, others] = [watchGroup(ada.client, 'room'), watchGroup(bob.client, 'room')]
    await polled(() => [...own.members.values()]).toEqual([
      { id: ada.client.state.sessionId, isConnected: true, info: { name: 'Ada' }, methods: [] },
    ])
    await polled(() => others.error).toMatchObject({ code: -32002 })
    ada.client.expose('ask', () => {})
    await polled(() => own.members.get(ada.channel.id)?.methods).toEqual(['ask'])
    ada.channel.leave('room')
    await polled(() => own.error).toMatchObject({ code: -32002 })
  })

  test('share the handlers that were given later', async () => {
    const { served, connect } = serve({ methods: undefined })
    expect(served.lack?.message).toContain('The host has no methods: methods is missing')
    served.implement('echo', (params: unknown) => params)
    expect(served.lack).toBeUndefined()
    const { client } = connect()
    await client.connect()
    expect(await client.call('echo', { n: 1 })).toEqual({ n: 1 })
    expect(() => served.implement('other', () => 1)).toThrow('The host serves already')
  })

  test('can be closed from the start, and say why', async () => {
    const { served } = serve({ presence: { allow } })
    const channel = served.closed(4404, 'No page of this window is connected')
    channel.join('room')
    expect(channel.groups.size).toBe(0)
    expect(await rejection(channel.call('title'))).toMatchObject({
      outcome: 'not-sent',
      message: expect.stringContaining('No page of this window is connected'),
    })
  })
})
