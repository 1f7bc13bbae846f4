import { setTimeout as sleep } from 'node:timers/promises'
import { RpcError } from '@flashrpc/core'
import type { CallKind, ClusterLedger, TargetEnd, TargetEnding } from './cluster-ledger.ts'

/** The params of every call: its name in the ledger, and how long its handler takes, in ms. */
export interface ClusterCall {
  readonly call: string
  readonly ms: number
}

/** What a node does for its clients. */
export interface ClusterServer {
  run(params: ClusterCall): string
  /** Calls another client meanwhile, at whichever node it is. */
  pass(params: ClusterCall & { to: string }): string
}

/** What a client does for the nodes. */
export interface ClusterClient {
  run(params: ClusterCall): string
  hear(params: ClusterCall): void
}

/** The group that all clients are in. */
export const GROUP = 'all clients'
/** How long a call may take, in ms. */
export const TIMEOUT_MS = 8_000
/** How long a caller waits at most before its next call, in ms. */
const PAUSE_MS = 30

/** A caller of the cluster: a process, whose calls are written down. */
export class ClusterCaller {
  readonly #process: string
  readonly #node: string | undefined
  readonly #ledger: ClusterLedger
  #made = 0
  #isOver = false
  #ended = 0

  /** @param node the id of the node, if it is one. */
  constructor(process: string, ledger: ClusterLedger, node?: string) {
    this.#process = process
    this.#ledger = ledger
    this.#node = node
  }

  /** How many calls have ended. */
  get ended(): number {
    return this.#ended
  }

  /** Makes no further call. */
  stop(): void {
    this.#isOver = true
  }

  /** Makes calls, one after another, until {@link stop}. @param next makes one. */
  async repeat(next: () => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      await sleep(Math.random() * PAUSE_MS)
      await next()
      this.#ended++
    }
  }

  /**
   * Writes down that a call is made, and how it ended.
   *
   * @param make makes it. If it throws, that is the end of its one target.
   */
  async call(
    kind: CallKind,
    target: string,
    make: (params: ClusterCall) => Promise<readonly TargetEnd[]>,
  ): Promise<void> {
    const call = `${this.#process}:${this.#made++}`
    const node = this.#node
    this.#ledger.write({ at: 'made', call, kind, process: this.#process, ...(node && { node }) })
    let targets: readonly TargetEnd[]
    try {
      targets = await make({ call, ms: someMs() })
    } catch (error) {
      targets = [{ channel: target, ending: endingOf(error) }]
    }
    this.#ledger.write({ at: 'ended', call, targets })
  }
}

/** What an error tells of its call. */
export function endingOf(error: unknown): TargetEnding {
  const { outcome } = error as { outcome?: TargetEnding }
  if (error instanceof RpcError && outcome !== undefined) return outcome
  console.error(error)
  return 'error'
}

/** How a call of a given value ended: it must be the name of the call. */
export function endingOfValue(value: unknown, call: string): TargetEnding {
  if (value === call) return 'value'
  console.error(`The value of the call ${call} is ${JSON.stringify(value)}`)
  return 'error'
}

/** How long a handler takes, in ms: most are quick, some are still open when something is killed. */
function someMs(): number {
  return Math.floor(Math.random() * (Math.random() < 0.2 ? 1_000 : 20))
}
