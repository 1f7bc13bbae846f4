import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Build } from './builds.ts'
import { peerNamed } from './peers.ts'
import type { Scenario } from './scenario.ts'

interface Imports {
  readonly how: 'import' | 'require'
  readonly client: readonly string[]
  readonly server: readonly string[]
}

/** What both sides import, which have the same modules. */
const both = (...modules: string[]): Imports => ({
  how: 'import',
  client: modules,
  server: modules,
})

const socketIo = { client: ['socket.io-client'], server: ['socket.io'] }

/** What a program of either side imports of a peer, and of what the peer is set up with; zod is not counted. */
const IMPORTS: Readonly<Record<string, (build: Build) => Imports>> = {
  'raw-ws': () => both('ws'),
  flashrpc: (build) => ({
    how: 'import',
    client: [build.entry('@flashrpc/core')],
    server: [build.entry('@flashrpc/core'), build.entry('@flashrpc/core/server')],
  }),
  birpc: () => both('birpc', 'ws'),
  'rpc-websockets': () => both('rpc-websockets'),
  'json-rpc-2.0': () => both('json-rpc-2.0', 'ws'),
  'vscode-jsonrpc': () => both('vscode-jsonrpc/node', 'ws'),
  'socket.io': () => ({ how: 'import', ...socketIo }),
  'socket.io-require': () => ({ how: 'require', ...socketIo }),
  capnweb: () => both('capnweb', 'ws'),
  trpc: () => ({
    how: 'import',
    client: ['@trpc/client', 'ws'],
    server: ['@trpc/server', '@trpc/server/adapters/ws', 'ws'],
  }),
  orpc: () => ({
    how: 'import',
    client: ['@orpc/client', '@orpc/client/websocket', 'ws'],
    server: ['@orpc/server', '@orpc/server/ws', 'ws'],
  }),
}

const PROCESS = fileURLToPath(new URL('import-process.mjs', import.meta.url))

/** How much CPU it takes to import a peer, as published, in a new process. */
export const importing: Scenario = {
  title: 'CPU of importing it, in a new process',
  peers: Object.keys(IMPORTS),
  baseline: 'raw-ws',
  figure: 'clientImport',
  rounds: 20,
  async open(peer, isQuick) {
    const { kind, build } = peerNamed(peer)
    const imports = IMPORTS[kind]?.(build)
    if (!imports) return null
    const measure = async () => ({
      clientImport: await cpuOf(imports.how, imports.client),
      serverImport: await cpuOf(imports.how, imports.server),
    })
    // Its files are read for the first time.
    if (!isQuick) await measure()
    return { measure, [Symbol.asyncDispose]: async () => {} }
  },
}

/** In ms. */
async function cpuOf(how: Imports['how'], modules: readonly string[]): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROCESS, how, ...modules], {
    env: { ...process.env, NODE_ENV: 'production' },
  })
  return Number(stdout) / 1_000
}
