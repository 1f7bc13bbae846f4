/** A connection to Redis, whichever client has made it. */
export interface RedisConnection {
  readonly isReady: boolean
  /** Connects, unless that was done, and resolves when commands can be sent. */
  open(): Promise<void>
  command(...args: (string | Uint8Array)[]): Promise<unknown>
  subscribe(channels: readonly string[]): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  /** Cuts a connection over which nothing comes, so that the client makes another one. */
  renew(): void
  /**
   * Follows the connection.
   *
   * @returns a function that ends this.
   */
  follow(events: RedisConnectionEvents): () => void
}

export interface RedisConnectionEvents {
  message(channel: string, payload: Uint8Array): void
  /** It is connected (again). */
  ready(): void
  /** It is lost. */
  lost(why: string): void
}
