/**
 * Notifications from node to node. They arrive in order and exactly once, also over outages of the engine that are shorter
 * than `outageMs`.
 */
export interface NodeLinks {
  to(node: string): { notify(method: string, params: unknown): Promise<void> }
  /** Sets the function that handles a method. It must check the params: other nodes may send anything. */
  serve(method: string, service: (node: string, params: unknown) => unknown): void
}
