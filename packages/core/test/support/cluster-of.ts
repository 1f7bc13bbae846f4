import {
  type ClientOptions,
  createClient,
  defineContract,
  method,
  notification,
} from '@flashrpc/core'
import {
  type Cluster,
  type ClusterEngine,
  type ClusterOptions,
  createCluster,
} from '@flashrpc/core/cluster'
import { createEndpoint, type EndpointOptions } from '@flashrpc/core/server'
import { z } from 'zod'

/** The contract of the clusters of tests. */
export const chat = defineContract({
  server: {
    join: method({ params: z.object({ group: z.string() }) }),
    leave: method({ params: z.object({ group: z.string() }) }),
  },
  client: {
    tell: notification({ params: z.object({ text: z.string() }) }),
    ask: method({ params: z.object({ text: z.string() }), result: z.string() }),
    date: method({ params: z.object({ ms: z.number() }), result: z.coerce.date() }),
    bytes: method({
      params: z.object({ data: z.instanceof(Uint8Array) }),
      result: z.instanceof(Uint8Array),
    }),
    wait: method({ params: z.object({ ms: z.number() }), result: z.string() }),
    fail: method({ params: z.object({}), result: z.string() }),
  },
})

export type ChatServer = typeof chat.server
export type ChatPage = typeof chat.client

/** A node of a test: an endpoint, and its place in the cluster. */
export type ChatNode = Awaited<ReturnType<typeof startNodes>>[number]

/** Starts the nodes of a cluster in this process. */
export async function startNodes(
  opened: (() => unknown)[],
  engines: readonly ClusterEngine[],
  clusterOptions: Partial<ClusterOptions> = {},
  options: Partial<EndpointOptions<ChatServer, ChatPage>> = {},
) {
  return Promise.all(
    engines.map(async (engine, at) => {
      const cluster: Cluster = createCluster({
        engine,
        app: 'test',
        name: `n${at}`,
        ...clusterOptions,
      })
      const endpoint = createEndpoint(chat, {
        logger: false,
        ...options,
        cluster,
        methods: {
          join: ({ group }, { channel }) => channel.join(group),
          leave: ({ group }, { channel }) => channel.leave(group),
        },
      })
      opened.push(() => endpoint.close())
      const { url } = await endpoint.listen()
      return { cluster, endpoint, url, engine }
    }),
  )
}

/** Connects a client to a node, and lets it join groups. */
export async function connectTo(
  opened: (() => unknown)[],
  { url, endpoint }: Pick<ChatNode, 'url' | 'endpoint'>,
  name: string,
  groups: readonly string[] = [],
  options: Partial<ClientOptions<ChatPage, ChatServer>> = {},
) {
  const heard: string[] = []
  const aborted: string[] = []
  const client = createClient(chat, {
    url,
    retry: { minDelayMs: 5, maxDelayMs: 20 },
    methods: {
      tell: ({ text }) => heard.push(text),
      ask: ({ text }) => `${name}: ${text}`,
      date: ({ ms }) => new Date(ms),
      bytes: ({ data }) => data.map((byte) => byte + 1),
      wait: ({ ms }, { signal }) =>
        new Promise<string>((resolve) => {
          const timer = setTimeout(resolve, ms, name)
          signal.addEventListener('abort', () => {
            clearTimeout(timer)
            aborted.push(name)
            resolve('aborted')
          })
        }),
      fail: () => {
        throw new Error('its own failure')
      },
    },
    ...options,
  } as ClientOptions<ChatPage, ChatServer>)
  opened.push(() => client.close())
  await client.connect()
  for (const group of groups) await client.other.join({ group })
  const channel = [...endpoint.channels].find(({ otherId }) => otherId === client.id)
  if (!channel) throw new Error('the client has no channel')
  return { client, channel, heard, aborted, name }
}
