import { fileURLToPath } from 'node:url'
import type { EngineServer } from '../../scripts/engine-servers/engine-server.ts'
import { startNats } from '../../scripts/engine-servers/nats-server.ts'
import { startRedis } from '../../scripts/engine-servers/redis-server.ts'
import { Program } from '../process.ts'
import type { Traffic } from './peer.ts'
import { engineOf } from './peers.ts'

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url))

/** A node, in a process of its own. */
export class Node {
  readonly program: Program
  readonly port: number

  constructor(program: Program, port: number) {
    this.program = program
    this.port = port
  }

  /** In µs. */
  cpu(): Promise<number> {
    return this.program.ask('cpu')
  }

  traffic(): Promise<Traffic> {
    return this.program.ask('traffic')
  }

  /** Ends it at once, as a crash does. */
  kill(): Promise<void> {
    return this.program[Symbol.asyncDispose]()
  }
}

/** The nodes of a peer, a process with all clients, and the messaging system. */
export class Nodes implements AsyncDisposable {
  readonly clients: Program
  readonly #peer: string
  readonly #engine: EngineServer
  readonly #nodes: Node[] = []

  private constructor(peer: string, engine: EngineServer) {
    this.#peer = peer
    this.#engine = engine
    this.clients = new Program(peer, 'client', undefined, CHILD)
  }

  static async open(peer: string, count: number): Promise<Nodes> {
    const engine = engineOf(peer) === 'nats' ? await startNats() : await startRedis()
    const nodes = new Nodes(peer, engine)
    await nodes.add(count)
    return nodes
  }

  get all(): readonly Node[] {
    return this.#nodes
  }

  get(at: number): Node {
    const node = this.#nodes[at]
    if (!node) throw new Error(`There is no node ${at}`)
    return node
  }

  async add(count: number): Promise<void> {
    const made = Array.from({ length: count }, async () => {
      const program = new Program(this.#peer, 'server', undefined, CHILD)
      const params = { address: this.#engine.address }
      return new Node(program, await program.ask<number>('serve', params))
    })
    this.#nodes.push(...(await Promise.all(made)))
  }

  /** Takes away a node that was killed. */
  remove(node: Node): void {
    this.#nodes.splice(this.#nodes.indexOf(node), 1)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([
      this.clients[Symbol.asyncDispose](),
      ...this.#nodes.map((node) => node.kill()),
    ])
    await this.#engine[Symbol.asyncDispose]()
  }
}
