import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Client,
  type ClientOptions,
  createClient,
  type HandlerContext,
  RpcError,
} from '@flashrpc/core'
import { createEndpoint, type Endpoint, type EndpointOptions } from '@flashrpc/core/server'
import type { TabsOptions } from '@flashrpc/core/tabs'
import { createFaultProxy, type FaultProxy } from '@flashrpc/core/testing'
import { afterEach } from 'vitest'
import { createWorker } from './worker.js'

export interface Server {
  add(params: { a: number; b: number }): number
  /** Ends when the test says so. */
  wait(params: { name: string }): string
  echo(params: { value: unknown }): unknown
  fail(params: { code: number }): never
  steps(params: { upTo: number }): number
  about(): { timeLeft: number; meta: Readonly<Record<string, string>> }
  sum(): number
  count(params: { upTo: number }): AsyncIterable<number>
}

export interface Page {
  confirm(params: { text: string }): string
  other(params: { text: string }): string
  hear(params: { n: number }): void
}

type Serving = EndpointOptions<Server, Page>
export type Tab = Client<Page, Server>

/** Tries again soon, so that tests are quick. */
const retry = { minDelayMs: 5, maxDelayMs: 20 }
const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** A server, a proxy in front of it, and what its calls ran. */
export class Scene {
  readonly ran: string[] = []
  readonly aborted: string[] = []
  /** Serves `steps` in place of the scene. */
  serveSteps: ((context: HandlerContext) => Promise<number>) | undefined
  readonly #options: Partial<Serving>
  readonly #waiting = new Map<string, (value: string) => void>()
  #port = 0
  endpoint!: Endpoint<Server, Page>
  proxy!: FaultProxy

  private constructor(options: Partial<Serving>) {
    this.#options = options
  }

  static async open(options: Partial<Serving> = {}): Promise<Scene> {
    const scene = new Scene(options)
    await scene.start()
    scene.proxy = await createFaultProxy({ port: scene.#port })
    opened.push(() => scene.endpoint.close())
    opened.push(() => scene.proxy.close())
    return scene
  }

  /** Another process would be: nothing is left of the one before. */
  async start(): Promise<void> {
    const { aborted } = this
    this.endpoint = createEndpoint<Server, Page>({
      resume: {},
      ...this.#options,
      methods: {
        add: ({ a, b }) => a + b,
        wait: ({ name }, { signal }) => {
          this.ran.push(name)
          signal.addEventListener('abort', () => this.aborted.push(name))
          return new Promise((resolve) => this.#waiting.set(name, resolve))
        },
        echo: ({ value }) => value,
        fail: ({ code }) => {
          throw new RpcError(code, 'It failed', { code })
        },
        steps: async ({ upTo }, context) => {
          if (this.serveSteps) return this.serveSteps(context)
          const { progress } = context
          for (let n = 1; n <= upTo; n++) {
            progress(n)
            await sleep(5)
          }
          return upTo
        },
        about: (_: unknown, { timeLeft, meta }: HandlerContext) => ({ timeLeft, meta }),
        sum: async (_: unknown, { input }: HandlerContext) => {
          let sum = 0
          for await (const n of input) sum += n as number
          return sum
        },
        async *count({ upTo }, { signal }) {
          signal.addEventListener('abort', () => aborted.push('count'))
          for (let n = 1; n <= upTo; n++) {
            yield n
            if (n % 10 === 0) await sleep(1)
          }
        },
      },
    })
    this.#port = (await this.endpoint.listen({ port: this.#port })).port
  }

  finish(name: string): void {
    this.#waiting.get(name)?.(`${name} is done`)
  }

  /** A client in a tab of a browser whose tabs share this worker. */
  tab(
    worker: ReturnType<typeof createWorker>,
    options: Partial<ClientOptions<Page, Server>> = {},
  ): Tab {
    const url = this.proxy.url()
    const tab = createClient<Server, Page>({
      url,
      share: worker.share,
      retry,
      ...options,
    } as ClientOptions<Page, Server>)
    opened.push(() => tab.close())
    return tab
  }

  get channel() {
    const [channel] = this.endpoint.channels
    if (!channel) throw new Error('Nobody is connected')
    return channel
  }
}

export function worker(
  options: TabsOptions = {},
  silenceMs?: number,
): ReturnType<typeof createWorker> {
  const made = createWorker({ retry, ...options }, silenceMs)
  opened.push(() => made.close())
  return made
}

/** Two tabs that are connected. */
export async function twoTabs(options: Partial<Serving> = {}, tabs: TabsOptions = {}) {
  const scene = await Scene.open(options)
  const shared = worker(tabs)
  const first = scene.tab(shared)
  const second = scene.tab(shared)
  await Promise.all([first.connect(), second.connect()])
  return { scene, shared, first, second }
}
