import { ErrorCode } from '@flashrpc/core'
import { memoryEngines } from '@flashrpc/core/cluster'
import { createFaultProxy } from '@flashrpc/core/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { type ChatNode, connectTo, startNodes } from '../support/cluster-of.js'
import { polled } from '../support/eventually.js'
import { SeededNetwork } from '../support/seeded-network.js'
import { watchGroup } from '../support/watched-group.js'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const GROUP = 'room'

async function threeNodes() {
  const engine = memoryEngines()
  const engines = [engine(), engine(), engine()]
  const nodes = await startNodes(
    opened,
    engines,
    {},
    { resume: {}, presence: { allow: (group, { channel }) => channel.groups.has(group) } },
  )
  return nodes as [ChatNode, ChatNode, ChatNode]
}

describe('who is in a group at all nodes, told to a client of one', () => {
  test('all of them, each change, and the members of a node that goes', async () => {
    const [a, b, c] = await threeNodes()
    const one = await connectTo(opened, a, 'one', [GROUP])
    const two = await connectTo(opened, b, 'two')
    two.channel.join(GROUP, { info: { name: 'Bob' } })
    const watched = watchGroup(one.client, GROUP)
    const ofTwo = () => watched.members.get(two.channel.id)
    await polled(ofTwo).toMatchObject({
      isConnected: true,
      info: { name: 'Bob' },
      methods: expect.arrayContaining(['ask', 'tell']),
    })
    expect(watched.unreached).toEqual([])
    const three = await connectTo(opened, c, 'three')
    three.channel.join(GROUP)
    await polled(() => watched.members.size).toBe(3)
    two.channel.join(GROUP, { info: { name: 'Robert' } })
    await polled(() => ofTwo()?.info).toEqual({ name: 'Robert' })
    await three.client.close()
    await polled(() => watched.members.size).toBe(2)
    await b.endpoint.close()
    await polled(() => [...watched.members.keys()]).toEqual([one.channel.id])
    expect(watched.items.filter(({ all }) => all)).toHaveLength(1)
    one.channel.leave(GROUP)
    await polled(() => watched.error).toMatchObject({
      message: expect.stringContaining('Not allowed to see who is in the group "room"'),
    })
  })

  test('a member whose connection is lost is told as such, at other nodes, too', async () => {
    const [a, b] = await threeNodes()
    const one = await connectTo(opened, a, 'one', [GROUP])
    const proxy = await createFaultProxy({ port: Number(new URL(b.url).port) })
    opened.push(() => proxy.close())
    const way = { endpoint: b.endpoint, url: proxy.url() }
    const two = await connectTo(opened, way, 'two', [GROUP], { methods: {} })
    const watched = watchGroup(one.client, GROUP)
    const ofTwo = () => watched.members.get(two.channel.id)
    await polled(ofTwo).toMatchObject({ isConnected: true, methods: [] })
    const hide = two.client.expose('fail', () => 'done')
    await polled(() => ofTwo()?.methods).toEqual(['fail'])
    hide()
    await polled(() => ofTwo()?.methods).toEqual([])
    const events: string[] = []
    const giveUp = new AbortController()
    const watching = (async () => {
      for await (const event of b.endpoint.group(GROUP).watch({ signal: giveUp.signal })) {
        if (event.type === 'state') events.push('state')
        else events.push(`${event.type} ${event.member.isConnected}`)
      }
    })()
    await polled(() => events).toEqual(['state'])
    proxy.cut()
    await polled(() => events).toEqual(['state', 'change false', 'change true'])
    await polled(() => ofTwo()?.isConnected).toBe(true)
    giveUp.abort()
    await watching
  })

  test('a client that leaves before the other nodes have answered sees nothing', async () => {
    const network = new SeededNetwork(1)
    const [here, there] = [network.engine(), network.engine()]
    const options: Parameters<typeof startNodes>[3] = {
      presence: { allow: (group, { channel }) => channel.groups.has(group) },
    }
    const [a, b] = (await startNodes(opened, [here, there], {}, options)) as [ChatNode, ChatNode]
    const one = await connectTo(opened, a, 'one', [GROUP])
    await connectTo(opened, b, 'two', [GROUP])
    await polled(async () => (await a.endpoint.group(GROUP).count()).count).toBe(2)
    network.stop(there)
    const watched = watchGroup(one.client, GROUP)
    await polled(() => one.channel.running).toBe(1)
    await one.client.other.leave({ group: GROUP })
    network.continue(there)
    await polled(() => watched.error).toMatchObject({ code: ErrorCode.unauthorized })
    expect(watched.items).toEqual([])
  })

  test('nodes that can not be asked are named', async () => {
    const network = new SeededNetwork(1)
    const [here, there] = [network.engine(), network.engine()]
    const options = { presence: { allow: () => true } }
    const [a, b] = (await startNodes(opened, [here, there], {}, options)) as [ChatNode, ChatNode]
    const one = await connectTo(opened, a, 'one')
    await connectTo(opened, b, 'two', [GROUP])
    await polled(async () => (await a.endpoint.group(GROUP).count()).count).toBe(1)
    network.cutOff(here)
    const watched = watchGroup(one.client, GROUP)
    await polled(() => watched.unreached).toEqual([b.cluster.node])
    expect(watched.members.size).toBe(0)
    await network.restore(here)
    await polled(() => [watched.members.size, watched.unreached]).toEqual([1, []])
  })
})
