import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createClient } from '@flashrpc/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EngineServer } from '../../../scripts/engine-servers/engine-server.js'
import { natsProgram, startNats } from '../../../scripts/engine-servers/nats-server.js'
import { nginxProgram, startNginxWith } from '../../../scripts/engine-servers/nginx-server.js'
import { eventually } from '../../core/test/support/eventually.js'
import { forkProgram } from '../../core/test/support/fork-program.js'

interface Server {
  whereAmI(params: object): { node: string; session: string }
}

const folder = new URL('../../../examples/cluster/', import.meta.url)
const compose = readFileSync(new URL('compose.yaml', folder), 'utf8')
const nginxConf = readFileSync(new URL('nginx.conf', folder), 'utf8')
const why = natsProgram.missing ?? nginxProgram.missing

/** The nodes of compose.yaml: the name of the service, and the arguments of its program. */
const services = [
  ...compose.matchAll(
    /^ {2}(\w+):\n {4}<<: \*node\n {4}command: node --import tsx node\.ts (.*)$/gm,
  ),
].map(([, service = '', args = '']) => ({ service, args: args.split(' ') }))

describe.skipIf(why)(
  `the Docker compose file of the example${why ? ` (skipped: ${why})` : ''}`,
  () => {
    let nats: EngineServer
    let nginx: EngineServer
    const nodes = new Map<string, ChildProcess>()

    beforeAll(async () => {
      nats = await startNats()
      let conf = nginxConf
      await Promise.all(
        services.map(async ({ service, args: [name = '', servers, host, port] }) => {
          expect([servers, host]).toStrictEqual(['nats:4222', '0.0.0.0'])
          const args = [name, nats.address, '127.0.0.1', '0']
          const node = forkProgram(new URL('node.ts', folder), { args })
          nodes.set(name, node)
          const [listening] = (await once(node, 'message')) as [{ port: number }]
          const address = `server ${service}:${port};`
          expect(conf).toContain(address)
          conf = conf.replace(address, `server 127.0.0.1:${listening.port};`)
        }),
      )
      nginx = await startNginxWith((listen) => conf.replace('listen 80;', `listen ${listen};`))
    })

    afterAll(async () => {
      for (const node of nodes.values()) node.kill('SIGKILL')
      await nginx?.[Symbol.asyncDispose]()
      await nats?.[Symbol.asyncDispose]()
    })

    /** Connects through nginx, and returns the node of the session. */
    async function connected() {
      const client = createClient<Server>({
        url: `ws://${nginx.address}/ws`,
        retry: { minDelayMs: 5, maxDelayMs: 50 },
      })
      return { client, node: (await client.other.whereAmI({})).node }
    }

    test('has three nodes, and nginx gives each connection to the next of them', async () => {
      const clients = []
      for (let n = 0; n < 6; n++) clients.push(await connected())
      const names = ['Ada', 'Ada', 'Bert', 'Bert', 'Cleo', 'Cleo']
      expect(clients.map(({ node }) => node).toSorted()).toStrictEqual(names)
      await Promise.all(clients.map(({ client }) => client.close()))
    })

    test('a node that Docker stops tells its clients, which go on at another', async () => {
      const { client, node } = await connected()
      const child = nodes.get(node) as ChildProcess
      child.kill('SIGTERM')
      const [code] = await once(child, 'exit')
      expect(code).toBe(0)
      await eventually(async () => expect((await client.other.whereAmI({})).node).not.toBe(node))
      await client.close()
    })
  },
)
