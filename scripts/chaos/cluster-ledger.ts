import { openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/**
 * How a call is made: to all members of a group, to one channel, to the server that a client is connected to, the same with an
 * idempotency key; or as a notification to a group, which runs at most once.
 */
export type CallKind = 'group' | 'channel' | 'server' | 'keyed' | 'notify'

/** What is known of a target: its value came, or the outcome that its error told, or an error that tells none. */
export type TargetEnding = 'value' | 'not-sent' | 'not-received' | 'maybe-executed' | 'error'

/** What became of one target of a call, or (without a channel) of a node that could not say which targets it has. */
export interface TargetEnd {
  /** The id of the channel; of a call to the server, `server`. */
  readonly channel?: string
  /** The node that could not be asked. */
  readonly node?: string
  readonly ending: TargetEnding
}

/** One line of the ledger of a cluster. A call is named by its caller's process and its number there. */
export type Entry =
  | {
      readonly at: 'made'
      readonly call: string
      readonly kind: CallKind
      /** The process that makes it, which may be killed. */
      readonly process: string
      /** The node of a caller that is one. */
      readonly node?: string
    }
  | {
      readonly at: 'ran'
      readonly call: string
      /** The channel at which it ran; of a call to the server, the node. */
      readonly where: string
    }
  | {
      readonly at: 'ended'
      readonly call: string
      readonly targets: readonly TargetEnd[]
    }

const FILE = 'cluster.txt'

/**
 * The ledger of a cluster, which all its processes write: one system call for each line, so that a process which is killed has
 * written all that it has told others.
 */
export class ClusterLedger {
  readonly #file: number

  constructor(folder: string) {
    this.#file = openSync(join(folder, FILE), 'a')
  }

  write(entry: Entry): void {
    writeSync(this.#file, `${JSON.stringify(entry)}\n`)
  }
}

export function readEntries(folder: string): Entry[] {
  const lines = readFileSync(join(folder, FILE), 'utf8').split('\n')
  return lines.filter(Boolean).map((line) => JSON.parse(line) as Entry)
}
