/**
 * What a node tells another one so that it arrives in order and exactly once, also over outages of the engine that are
 * shorter than `outageMs`.
 */
export interface NodeLinks {
  to(node: string): { notify(method: string, params: unknown): Promise<void> }
  /** Sets what is done with a message of other nodes. What they say is unchecked. */
  serve(method: string, service: (node: string, params: unknown) => unknown): void
}
