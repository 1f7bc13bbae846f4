import type { ChannelContext } from '../../calls/channel-context.js'
import type { FeatureTable, KeptLink } from '../../calls/feature.js'
import type { Connection } from '../../link/connection.js'
import type { HelloParams, HelloResult } from '../../link/hello.js'
import type { Hello, MessageLink } from '../../link/message-link.js'
import { CloseCode } from '../../transport/close-codes.js'
import type { CloseInfo, Transport } from '../../transport/transport.js'
import { SessionLink } from './session-link.js'

const LOST: CloseInfo = { code: 1006, reason: 'The server does not have the session any more' }

/**
 * The session of a client. The client offers it in each hello, and the server decides whether it continues or a new one begins.
 */
export class ClientSession implements KeptLink {
  readonly #channel: ChannelContext
  readonly #features: FeatureTable
  /** Whether the last hello offered a session. */
  #offersSession = false

  constructor(channel: ChannelContext, features: FeatureTable) {
    this.#channel = channel
    this.#features = features
  }

  /** The offer of its session in the hello on this transport. */
  offer({ reliable, isReplaceable }: Transport): Pick<HelloParams, 'resume'> & { buf?: number } {
    this.#offersSession = isReplaceable ?? !reliable
    const session = this.#session
    const token = session?.token
    return {
      ...(session &&
        token !== undefined && { resume: { sid: session.sid, token, recv: session.reportRecv() } }),
      ...(this.#offersSession && { buf: this.#channel.kind.settings.limits.unackedBytes }),
    }
  }

  goOn(link: MessageLink, hello: Hello | undefined, isFirst: boolean): boolean {
    const connection = link as Connection
    const answer = hello as HelloResult | undefined
    const session = this.#session
    if (answer?.resumed) {
      if (session && answer.sid === session.sid && session.resume(connection, answer.recv)) {
        session.ready(connection, hello, isFirst)
      } else
        connection.end(
          CloseCode.violation,
          'The server resumed a session that this client does not have',
        )
      return true
    }
    if (session) {
      const { lastRecv } = answer ?? {}
      const unreceived = (lastRecv !== undefined && session.unreceived(lastRecv)) || []
      this.#channel.replaced(LOST, unreceived)
    }
    if (answer?.token === undefined || !this.#offersSession) return false
    const { limits } = this.#channel.kind.settings
    const { sid, token } = answer
    const peerBytes = answer.limits.buf ?? limits.unackedBytes
    const options = { sid, token, isServer: false, limits, peerBytes, features: this.#features }
    new SessionLink(options, connection, this.#channel).ready(connection, hello, isFirst)
    return true
  }

  get #session(): SessionLink | undefined {
    const { link } = this.#channel
    return link instanceof SessionLink ? link : undefined
  }
}
