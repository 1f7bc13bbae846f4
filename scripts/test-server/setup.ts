import type { IncomingMessage } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { type Handlers, RpcError } from '@flashrpc/core'
import {
  createEndpoint,
  type Endpoint,
  RejectUpgrade,
  type ServerChannel,
} from '@flashrpc/core/server'
import { createFaultProxy, type FaultProxy } from '@flashrpc/core/testing'
import type { TestProject } from 'vitest/node'
import {
  createEchoMethods,
  type EchoClient,
  type EchoServer,
  echoOptions,
} from '../../packages/core/test/support/echo.js'
import { httpServer } from '../../packages/core/test/support/http-server.js'
import { contract as suite } from '../../packages/core/test/support/suite/contract.js'
import { createSuiteMethods } from '../../packages/core/test/support/suite/serve.js'
import { createTracedServer } from '../../packages/core/test/support/traced-server.js'
import { contract } from './contract.js'
import type { Control } from './control.js'
import { createRelay } from './relay.js'
import { renderPage } from './render-page.js'

interface Running {
  readonly endpoint: Endpoint<typeof contract.server, typeof contract.client>
  readonly proxy?: FaultProxy
  ever: number
}

const suiteMethods = createSuiteMethods()

/** Runs real servers for the browser tests, which start and stop them over a channel of their own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const servers = new Map<number, Running>()
  const suites = new Map<number, { close(): Promise<void> }>()
  const get = (port: number): Running => {
    const running = servers.get(port)
    if (!running) throw new RpcError(404, `No test server listens on port ${port}`)
    return running
  }
  const control = createEndpoint<Control>({
    allowedOrigins: '*',
    exposeErrors: true,
    methods: {
      async start({ port = 0 }) {
        const running: Running = { endpoint: createTestEndpoint(() => running.ever++), ever: 0 }
        const listening = await running.endpoint.listen({ port })
        servers.set(listening.port, running)
        return { port: listening.port, url: listening.url }
      },
      async startProxied() {
        const endpoint = createTestEndpoint(() => running.ever++, {
          resume: {},
          authenticate,
          logger: false,
        })
        const proxy = await createFaultProxy(await endpoint.listen({ path: '/ws' }))
        const running: Running = { endpoint, proxy, ever: 0 }
        servers.set(proxy.port, running)
        return { port: proxy.port, url: proxy.url('ws', '/ws') }
      },
      async cut({ port }) {
        get(port).proxy?.cut()
      },
      async startSuite() {
        const endpoint = createEndpoint(suite, { allowedOrigins: '*', methods: suiteMethods() })
        const { port, url } = await endpoint.listen()
        suites.set(port, endpoint)
        return { port, url }
      },
      async startRelay() {
        const relay = await createRelay()
        const { port, url } = await relay.listen()
        suites.set(port, relay)
        return { port, url }
      },
      async startTraced() {
        const traced = createTracedServer()
        const { port, url } = await traced.listen()
        suites.set(port, traced)
        return { port, url }
      },
      async startEcho({ format }) {
        const methods = createEchoMethods() as Handlers<
          EchoServer,
          ServerChannel<EchoServer, EchoClient>
        >
        const options = { allowedOrigins: '*' as const, methods, ...echoOptions(format) }
        const endpoint = createEndpoint<EchoServer, EchoClient>(options)
        const { port, url } = await endpoint.listen()
        suites.set(port, endpoint)
        return { port, url }
      },
      async startSilent() {
        const server = await httpServer(() => {})
        const { port, url } = server
        suites.set(port, { close: () => server[Symbol.asyncDispose]() })
        return { port, url }
      },
      async stop({ port }) {
        const endpoint: { close(): Promise<void> } = suites.get(port) ?? get(port).endpoint
        const proxy = servers.get(port)?.proxy
        suites.delete(port)
        servers.delete(port)
        await endpoint.close()
        await proxy?.close()
      },
      async count({ port }) {
        const { endpoint, ever } = get(port)
        return { open: endpoint.channels.size, ever }
      },
      async running({ port }) {
        return [...get(port).endpoint.channels].reduce((sum, { running }) => sum + running, 0)
      },
      async mounted({ port }) {
        const names = Object.keys(contract.client) as (keyof typeof contract.client)[]
        return [...get(port).endpoint.channels].map((page) =>
          names.filter((name) => page.has(name)),
        )
      },
      async callAll({ port, method, text }) {
        const channels = [...get(port).endpoint.channels]
        return Promise.all(
          channels.map(async (channel) => {
            try {
              return { value: await channel.other[method]({ text }) }
            } catch (error) {
              const { code, message, data } = error as RpcError
              return { code, message, data }
            }
          }),
        )
      },
      async notifyMany({ port, times }) {
        const pages = [...get(port).endpoint.channels]
        const numbers = Array.from({ length: times }, (_, n) => String(n + 1))
        await Promise.all(
          numbers.flatMap((text) => pages.map((page) => page.other.notify({ text }))),
        )
      },
      renderPage: ({ url }) => renderPage(url),
      async notifyAll({ port, text }) {
        await Promise.all(
          [...get(port).endpoint.channels].map((channel) => channel.other.notify({ text })),
        )
      },
    },
  })
  const { url } = await control.listen()
  project.provide('controlUrl', url)
  return async () => {
    const endpoints = [...[...servers.values()].map(({ endpoint }) => endpoint), ...suites.values()]
    await Promise.all(endpoints.map((endpoint) => endpoint.close()))
    await Promise.all([...servers.values()].map(({ proxy }) => proxy?.close()))
    await control.close()
  }
}

function authenticate({ url = '' }: IncomingMessage): void {
  if (url.includes('token=bad')) throw new RejectUpgrade(401, 'unknown token')
}

function createTestEndpoint(
  onConnect: () => void,
  options: { resume?: object; authenticate?: typeof authenticate; logger?: false } = {},
): Running['endpoint'] {
  let visits = 0
  return createEndpoint(contract, {
    ...options,
    allowedOrigins: '*',
    onConnect: [onConnect],
    presence: {
      allow: (group, { channel }) => group !== 'secret' || channel.groups.has(group),
    },
    methods: {
      add: ({ a, b }) => a + b,
      async slow({ ms }, { signal }) {
        await setTimeout(ms, undefined, { signal })
        return 'done'
      },
      async askBack({ text }, { channel }) {
        return `the page says ${await channel.other.upper({ text })}`
      },
      visits: () => ++visits,
      async report({ name, steps, ms }, { progress, signal }) {
        for (let step = 1; step <= steps; step++) progress((100 * step) / steps)
        await setTimeout(ms, undefined, { signal })
        return `report ${name}`
      },
      join: ({ group, name }, { channel }) => channel.join(group, { info: { name } }),
      leave: ({ group }, { channel }) => channel.leave(group),
      nothing: () => {},
      async *count({ to }) {
        for (let n = 1; n <= (to ?? Number.POSITIVE_INFINITY); n++) {
          if (to === null) await setTimeout(5)
          yield n
        }
      },
    },
  })
}
