import { Program } from './process.ts'

/** In bytes. */
export interface Memory {
  /** Of objects and buffers, after a collection. */
  readonly heap: number
  /** What the system has given to the process. */
  readonly resident: number
}

/** A server and its clients, each in a process of its own. */
export class Pair implements AsyncDisposable {
  readonly server: Program
  readonly client: Program
  readonly hasBytes: boolean
  readonly #port: number

  private constructor(server: Program, client: Program, port: number, hasBytes: boolean) {
    this.server = server
    this.client = client
    this.#port = port
    this.hasBytes = hasBytes
  }

  /** @param core the one core that both may run on. */
  static async open(peer: string, clients = 1, core?: number): Promise<Pair> {
    const server = new Program(peer, 'server', core)
    const client = new Program(peer, 'client', core)
    const port = await server.ask<number>('serve')
    const { bytes } = await client.ask<{ bytes: boolean }>('connect', { port, clients })
    return new Pair(server, client, port, bytes)
  }

  /**
   * Connects more clients, so many in all.
   *
   * @returns what each of them adds to the server.
   */
  async grow(from: number, to: number): Promise<Memory> {
    const before = await this.server.ask<Memory>('memory')
    await this.client.ask('connect', { port: this.#port, clients: to })
    const after = await this.server.ask<Memory>('memory')
    const clients = to - from
    return {
      heap: (after.heap - before.heap) / clients,
      resident: (after.resident - before.resident) / clients,
    }
  }

  /**
   * Tells all clients every so many ms while something is measured.
   *
   * @param slow how many more of them there are by then that read nothing.
   */
  async whileTold<T>(ms: number, slow: number, measure: () => Promise<T>): Promise<T> {
    await this.client.ask('connectSlow', { port: this.#port, count: slow })
    await this.server.ask('tellEvery', { ms })
    try {
      return await measure()
    } finally {
      await this.server.ask('tellEvery', { ms: 0 })
      await this.client.ask('forget')
    }
  }

  /** Tells all clients, and waits until the last has it. @returns false where the peer can't. */
  async tell(n: number, clients: number): Promise<boolean> {
    if ((await this.server.ask('noteAll', { n })) === null) return false
    await this.client.ask('noted', { count: clients })
    return true
  }

  /** Both have run for a while. */
  async settle(): Promise<void> {
    await this.#ofBoth('settle')
  }

  /** Of both, in µs. */
  cpu(): Promise<number> {
    return this.#ofBoth('cpu')
  }

  /** Of both, in bytes. */
  peakMemory(): Promise<number> {
    return this.#ofBoth('peakMemory')
  }

  async #ofBoth(figure: 'cpu' | 'peakMemory' | 'settle'): Promise<number> {
    const [server, client] = await Promise.all([
      this.server.ask<number>(figure),
      this.client.ask<number>(figure),
    ])
    return server + client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.server[Symbol.asyncDispose](), this.client[Symbol.asyncDispose]()])
  }
}
