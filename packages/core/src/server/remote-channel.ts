import type { Peer } from '../calls/peer.js'

/**
 * A client that may be connected to any node of a cluster. Calls to it have the outcomes that they have at its own node;
 * if its node is lost, those that were sent are `maybe-executed`.
 */
export interface RemoteChannel<Remote>
  extends Pick<Peer<never, Remote>, 'id' | 'other' | 'call' | 'stream' | 'notify'> {
  /** The node that the client's session belongs to. */
  readonly node: string
  /**
   * Ends the channel and its session.
   *
   * @param code 1000, or 3000–4999. Default 1000.
   * @param reason for the client, at most 123 bytes.
   * @returns a promise of whether there was one.
   * @throws {RpcConfigError} if the code is none of these.
   * @throws {RpcDisconnectedError} if its node is not there.
   */
  close(code?: number, reason?: string): Promise<boolean>
}
