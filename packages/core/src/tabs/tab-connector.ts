import type { Connector, ConnectorSession } from '../client/dial/connector.js'
import type { Failure } from '../client/dial/failure.js'
import type { ShareOptions } from '../client/share.js'
import { OF_CONNECTION } from '../logging/error-context.js'
import { log } from '../logging/log.js'

/** The text in the log for a tab that shares nothing. */
export const OWN_CONNECTION = 'this tab has a connection of its own'

/**
 * A tab's connector. It goes through a worker that tabs share. If that is not possible any more, it goes to the server
 * directly.
 */
export class TabConnector implements Connector {
  #current: Connector

  /**
   * @param createShared makes the connector through the worker, which calls back when it can't go on, with the reason.
   * @param createOwn makes the direct connector that replaces it.
   */
  constructor(
    createShared: (alone: (why: string) => void) => Connector,
    createOwn: () => Connector,
    { logger }: ShareOptions,
  ) {
    this.#current = createShared((why) => {
      log(logger, 'warn', `${OWN_CONNECTION}: ${why}`, OF_CONNECTION)
      this.#current = createOwn()
    })
  }

  get isShared(): boolean {
    return this.#current.isShared
  }

  get session(): ConnectorSession | undefined {
    return this.#current.session
  }

  lost(failure: Failure): void {
    this.#current.lost(failure)
  }

  accepted(spreadMs: number, windowMs: number): void {
    this.#current.accepted(spreadMs, windowMs)
  }

  spread(spreadMs: number): void {
    this.#current.spread(spreadMs)
  }

  hurry(): void {
    this.#current.hurry()
  }

  stop(): Promise<void> {
    return this.#current.stop()
  }
}
