import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createClient, RpcDisconnectedError, RpcUncertainError } from '@flashrpc/core'
import { createFaultProxy } from '@flashrpc/core/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { EngineServer } from '../../../scripts/engine-servers/engine-server.js'
import { natsProgram, startNats } from '../../../scripts/engine-servers/nats-server.js'
import { nginxProgram, startNginx } from '../../../scripts/engine-servers/nginx-server.js'
import { eventually, polled } from '../../core/test/support/eventually.js'
import { forkProgram } from '../../core/test/support/fork-program.js'
import { rejection } from '../../core/test/support/rejection.js'
import type { Ask, Tell } from './support/cluster-program.js'

interface Server {
  whoami(params: object): { id: string; node: string }
  add(params: { a: number; b: number }): number
  wait(params: { name: string }): string
}

const why = natsProgram.missing ?? nginxProgram.missing

/** A node in a process of its own. */
class Node {
  readonly child: ChildProcess
  id = ''
  port = 0

  /** @param ran gets what it runs, also if the process is killed afterwards. */
  constructor(servers: string, ran: string[]) {
    this.child = forkProgram(new URL('./support/cluster-program.ts', import.meta.url), {
      args: [JSON.stringify({ servers, graceMs: 300, bucket: 'anywhere' })],
    })
    this.child.on('message', (message: Tell) => {
      if (message.tell === 'ran') ran.push(message.what)
    })
  }

  async ready(): Promise<this> {
    const told = await this.#told('ready')
    this.id = told.node
    this.port = told.port
    return this
  }

  async ask(ask: Ask): Promise<unknown> {
    this.child.send(ask)
    const { value, error } = await this.#told('answer')
    if (error) throw error
    return value
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const exited = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await exited
  }

  #told<T extends Tell['tell']>(tell: T): Promise<Extract<Tell, { tell: T }>> {
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error('The process has ended'))
      const hear = (message: Tell) => {
        if (message.tell !== tell) return
        this.child.off('message', hear).off('exit', ended)
        resolve(message as Extract<Tell, { tell: T }>)
      }
      this.child.on('message', hear).once('exit', ended)
    })
  }
}

describe.skipIf(why)(
  `three nodes in processes of their own${why ? ` (skipped: ${why})` : ''}`,
  () => {
    let nats: EngineServer
    const nodes: Node[] = []
    const ran: string[] = []
    const ends: (() => unknown)[] = []

    const start = async (count: number) => {
      const made = Array.from({ length: count }, () => new Node(nats.address, ran))
      nodes.push(...made)
      await Promise.all(made.map((node) => node.ready()))
      // Each knows all others.
      for (const node of nodes) {
        await eventually(async () => expect(await node.ask({ ask: 'nodes' })).toBe(nodes.length))
      }
    }

    beforeAll(async () => {
      nats = await startNats({ jetStream: true })
    })
    beforeEach(async () => {
      ran.length = 0
      await start(3 - nodes.length)
    }, 60_000)
    afterEach(async () => {
      for (const end of ends.splice(0).reverse()) await end()
      // A process that was killed is replaced.
      for (const node of nodes.splice(0)) {
        if (node.child.exitCode === null && node.child.signalCode === null) nodes.push(node)
      }
    })
    afterAll(async () => {
      await Promise.all(nodes.map((node) => node.kill()))
      await nats?.[Symbol.asyncDispose]()
    })

    const node = (at: number) => nodes[at] as Node

    /** A client of the first node, whose later connections lead where the proxy does. */
    async function moving() {
      const proxy = await createFaultProxy({ port: node(0).port })
      ends.push(() => proxy.close())
      const client = clientOf(proxy.url())
      await client.connect()
      const move = async (to: number) => {
        proxy.retarget({ port: node(to).port })
        const connected = nextConnection(client)
        proxy.reset()
        await connected
      }
      return { client, proxy, move, me: await client.call('whoami', {}) }
    }

    function clientOf(url: string) {
      const client = createClient<Server, { ask(params: { n: number }): number }>({
        url,
        logger: false,
        autoConnect: false,
        retry: { minDelayMs: 1, maxDelayMs: 50 },
        methods: { ask: ({ n }) => n + 1 },
      })
      ends.push(() => client.close())
      return client
    }

    test('15: a client that comes back at another node goes on there', async () => {
      const { client, move, me } = await moving()
      const waiting = client.call('wait', { name: 'x' })
      await polled(() => ran).toEqual(['wait x'])
      await move(1)
      expect(client.state.resumed).toBe(true)
      expect(await client.call('whoami', {})).toEqual(me)
      expect(await client.call('add', { a: 1, b: 2 })).toBe(3)
      const asked: Ask = { ask: 'call', id: me.id, method: 'ask', params: { n: 1 } }
      expect(await Promise.all([0, 1, 2].map((at) => node(at).ask(asked)))).toEqual([2, 2, 2])
      await node(0).ask({ ask: 'release', name: 'x' })
      expect(await waiting).toBe('x waited')
      expect(ran).toEqual(['wait x', 'add 1 2'])
    })

    test('15: its streams go on, each item once', async () => {
      const { client, move } = await moving()
      const items: number[] = []
      const stream = (
        client as unknown as { stream(...args: unknown[]): AsyncIterable<number> }
      ).stream('ticks', { n: 2_000 })
      for await (const item of stream) {
        items.push(item)
        if (items.length === 500) await move(1)
        if (items.length === 1_000) await move(2)
      }
      expect(items).toEqual(Array.from({ length: 2_000 }, (_, i) => i))
    })

    test('16: the relaying node is killed: the client resumes through a third', async () => {
      const { client, proxy, move, me } = await moving()
      await move(1)
      const waiting = client.call('wait', { name: 'x' })
      await polled(() => ran).toEqual(['wait x'])
      proxy.retarget({ port: node(2).port })
      const connected = nextConnection(client)
      await node(1).kill()
      await connected
      expect(await client.call('whoami', {})).toEqual(me)
      await node(0).ask({ ask: 'release', name: 'x' })
      expect(await waiting).toBe('x waited')
      expect(ran).toEqual(['wait x'])
    })

    test('17: the owner is killed: open calls may have run, and the client begins anew where it is', async () => {
      const { client, move, me } = await moving()
      await move(1)
      const call = rejection(client.call('wait', { name: 'x' }))
      const remote = node(2)
        .ask({ ask: 'call', id: me.id, method: 'ask', params: { n: 1 } })
        .then((value) => value)
      expect(await remote).toBe(2)
      await polled(() => ran).toEqual(['wait x'])
      const began = performance.now()
      await node(0).kill()
      const error = await call
      expect(error).toBeInstanceOf(RpcDisconnectedError)
      expect(error).toMatchObject({ outcome: 'maybe-executed' })
      // Not a benchmark: the grace is 300 ms, and silence would take 5 s.
      expect(performance.now() - began).toBeLessThan(4_000)
      const now = await client.call('whoami', {})
      expect(now.node).toBe(node(1).id)
      // Another node finds out for itself.
      await eventually(async () => expect(await node(2).ask({ ask: 'nodes' })).toBe(2))
      const gone = node(2).ask({ ask: 'call', id: me.id, method: 'ask', params: { n: 1 } })
      expect(await rejection(gone)).toMatchObject({ outcome: 'not-sent' })
      expect(ran).toEqual(['wait x'])
    })

    test('17: a node that calls a client is told when the client’s node is killed', async () => {
      const { client, me } = await moving()
      await client.close()
      const other = createClient<Server, { hang(params: object): void }>({
        url: `ws://127.0.0.1:${node(0).port}/`,
        logger: false,
        retry: { minDelayMs: 1, maxDelayMs: 50 },
        methods: { hang: () => new Promise<void>(() => hangs.push(me.id)) },
      })
      const hangs: string[] = []
      ends.push(() => other.close())
      const { id } = await other.call('whoami', {})
      const call = node(1).ask({ ask: 'call', id, method: 'hang', params: {} })
      const failed = rejection(call)
      await polled(() => hangs.length).toBe(1)
      await node(0).kill()
      expect(await failed).toMatchObject({
        name: 'RpcDisconnectedError',
        outcome: 'maybe-executed',
      })
    })

    test('22: a key runs once, on whichever nodes it is sent to', async () => {
      const options = { idempotencyKey: 'once', timeout: 20_000 }
      const clients = nodes.map(({ port }) => clientOf(`ws://127.0.0.1:${port}/`))
      for (const client of clients) void client.connect()
      const answers = clients.map((client) => client.call('wait', { name: 'once' }, options))
      await polled(() => ran).toEqual(['wait once'])
      await Promise.all(nodes.map((each) => each.ask({ ask: 'release', name: 'once' })))
      expect(await Promise.all(answers)).toEqual(['once waited', 'once waited', 'once waited'])
      expect(await clients[1]?.call('wait', { name: 'once' }, options)).toBe('once waited')
      expect(ran).toEqual(['wait once'])
    })

    test('22: a key that runs on a node that is killed is never run again', async () => {
      const { client, proxy } = await moving()
      const options = { idempotencyKey: 'killed', timeout: 20_000 }
      const call = rejection(client.call('wait', { name: 'killed' }, options))
      await polled(() => ran).toEqual(['wait killed'])
      const other = clientOf(`ws://127.0.0.1:${node(2).port}/`)
      await other.connect()
      const same = rejection(other.call('wait', { name: 'killed' }, options))
      proxy.retarget({ port: node(1).port })
      await node(0).kill()
      expect(await call).toBeInstanceOf(RpcUncertainError)
      expect(await same).toBeInstanceOf(RpcUncertainError)
      expect(ran).toEqual(['wait killed'])
    })

    test('5: the owner is stopped for a while: nothing is lost, and nothing runs twice', async () => {
      const { client, move, me } = await moving()
      await move(1)
      node(0).child.kill('SIGSTOP')
      const calls = [1, 2, 3].map((b) => client.call('add', { a: 1, b }, { timeout: 20_000 }))
      await new Promise((resolve) => setTimeout(resolve, 2_500))
      node(0).child.kill('SIGCONT')
      expect(await Promise.all(calls)).toEqual([2, 3, 4])
      expect(await client.call('whoami', {})).toEqual(me)
      expect(ran).toEqual(['add 1 1', 'add 1 2', 'add 1 3'])
    })

    test('behind nginx, which asks nobody where they were before, a session goes on at any node', async () => {
      const nginx = await startNginx(nodes.map(({ port }) => port))
      ends.push(() => nginx[Symbol.asyncDispose]())
      const client = clientOf(`ws://${nginx.address}/`)
      await client.connect()
      const me = await client.call('whoami', {})
      const waiting = client.call('wait', { name: 'x' })
      await polled(() => ran).toEqual(['wait x'])
      const seen = new Set<number>()
      for (let round = 0; round < 6; round++) {
        const connected = nextConnection(client)
        const cut = await Promise.all(nodes.map((each) => each.ask({ ask: 'cut' })))
        seen.add(cut.indexOf(1))
        await connected
        expect(client.state.resumed).toBe(true)
        expect(await client.call('whoami', {})).toEqual(me)
        expect(await client.call('add', { a: 1, b: round })).toBe(1 + round)
      }
      // Each node has had the client's connection.
      expect([...seen].sort()).toEqual([0, 1, 2])
      await Promise.all(nodes.map((each) => each.ask({ ask: 'release', name: 'x' })))
      expect(await waiting).toBe('x waited')
      expect(ran).toEqual(['wait x', ...[0, 1, 2, 3, 4, 5].map((b) => `add 1 ${b}`)])
    })
  },
)

/** Resolves when a client has its next connection. */
function nextConnection(client: {
  readonly state: { readonly status: string }
  subscribe(listener: (state: { readonly status: string }) => void): () => void
}): Promise<void> {
  let was = client.state.status
  return new Promise((resolve) => {
    const stop = client.subscribe(({ status }) => {
      if (status === 'connected' && was !== 'connected') {
        stop()
        resolve()
      }
      was = status
    })
  })
}
