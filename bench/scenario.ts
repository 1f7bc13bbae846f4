/** What is measured of one peer in one round. Less is better, but of `rate`. */
export interface Sample {
  /** Calls, or notes, a second. */
  readonly rate?: number
  /** In ms: of what the scenario says. */
  readonly time?: number
  /** Of both processes together, in µs a call. */
  readonly cpu?: number
  /** The same of the first calls of two new processes. */
  readonly firstCpu?: number
  /** CPU in ms, of a new process that imports what a client needs. */
  readonly clientImport?: number
  /** CPU in ms, of a new process that imports what a server needs. */
  readonly serverImport?: number
  /** In bytes: objects and buffers. */
  readonly memory?: number
  /** In bytes: what the system has given. */
  readonly resident?: number
}

export interface Scenario {
  readonly title: string
  /** The names of those that can be measured. */
  readonly peers: readonly string[]
  /** The one of them that the others are measured against. */
  readonly baseline: string
  /** What is compared first. */
  readonly figure: keyof Sample
  /** How often each is measured, if nothing else is asked for; 9 by default. */
  readonly rounds?: number
  /** @returns what measures a peer, again and again; null where it can't do this. */
  open(peer: string, isQuick: boolean): Promise<Measured | null>
}

export interface Measured extends AsyncDisposable {
  measure(): Promise<Sample>
  /** In bytes: the most that both processes had when they had done as much as every peer does. */
  peakMemory?(): Promise<number>
}
