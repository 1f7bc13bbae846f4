import type { SharedRun } from './shared-run.js'

/** The runs of keys at the nodes of a cluster. */
export interface NodeRuns {
  /** The id of this node. A store tells it to other nodes that find a key of this one running. */
  readonly node: string
  /**
   * Waits for the run of a key at another node, which goes on meanwhile, until the signal aborts. Never rejects.
   *
   * @returns true if it has ended; false if that node has no such run, or can't be reached.
   */
  wait(node: string, key: string, signal: AbortSignal): Promise<boolean>
}

/** How the callers of a run at this node wait for the run of the same key at another node. */
export class WaitElsewhere {
  readonly #nodes: NodeRuns
  readonly #key: string
  readonly #run: SharedRun
  readonly #stop = new AbortController()
  /** The node that knows that this one waits. */
  #node: string | undefined

  constructor(nodes: NodeRuns, key: string, run: SharedRun) {
    this.#nodes = nodes
    this.#key = key
    this.#run = run
  }

  /** Tells a node that this one waits for its run, unless it knows that. */
  at(node: string): void {
    if (node === this.#nodes.node || node === this.#node) return
    this.#node = node
    void this.#nodes.wait(node, this.#key, this.#stop.signal).then((hasEnded) => {
      if (this.#node === node) this.#node = undefined
      if (hasEnded) this.#run.endPause()
    })
  }

  end(): void {
    this.#stop.abort()
  }
}
