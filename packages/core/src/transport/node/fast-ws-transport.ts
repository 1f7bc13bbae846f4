import type { Frame } from '../../wire/codec.js'
import type { BuiltInEvents } from '../built-in.js'
import { type WsFrame, wsFrame } from './ws-frame.js'
import { isReadable, readMessages, readMessagesOf, redirectEvents } from './ws-reader.js'
import { type Wire, type WsSocket, WsTransport } from './ws-transport.js'

/**
 * Text of a server with more characters than this is written by `ws`: it needs no mask, and no memory except for its
 * header.
 */
const SMALL = 4_000

let lastText = ''
let lastFrame: WsFrame | undefined

/**
 * @returns a server's frame of a short text. If the same text is sent to many clients in one turn, the frame is made
 *   once.
 */
function sharedFrame(text: string): WsFrame {
  if (!lastFrame || text !== lastText) {
    lastText = text
    lastFrame = wsFrame(text, false)
  }
  return lastFrame
}

/**
 * Makes a transport of a socket of `ws` that is open already.
 *
 * @param socket a socket without extensions.
 * @param isServed whether it is a server's.
 * @param fastPath whether frames may be read and written in fewer steps than `ws` takes. They are only if the private
 *   members of `ws` that this needs are as expected.
 */
export function wsTransport(
  socket: WsSocket,
  wire: Wire,
  isServed: boolean,
  fastPath: boolean,
): WsTransport {
  const isFast = fastPath && isReadable(socket._receiver)
  return new (isFast ? FastWsTransport : WsTransport)(socket, wire, isServed)
}

/**
 * Reads messages of one frame before `ws` does, and leaves all others to `ws`. It writes most frames to the wire in one
 * piece.
 */
class FastWsTransport extends WsTransport {
  protected override beginToRead(events: BuiltInEvents): void {
    const { _receiver: receiver } = this.socket
    // Of a socket that has closed meanwhile.
    if (!readMessagesOf(receiver, events, this.isServed)) return super.beginToRead(events)
    // A server's sockets can't be read otherwise: Node makes them.
    if (this.isServed) return
    this.wire.readFirst = readMessages.bind(undefined, receiver)
  }

  protected override readFor(events: BuiltInEvents): void {
    redirectEvents(this.socket._receiver, events)
  }

  override send(frame: Frame): boolean {
    if (!this.isOpen) return false
    const { isServed } = this
    const isServedText = isServed && typeof frame === 'string'
    if (isServedText && frame.length > SMALL) this.socket.send(frame)
    else {
      const { bytes, giveBack } = isServedText ? sharedFrame(frame) : wsFrame(frame, !isServed)
      this.wire.write(bytes, giveBack)
    }
    return true
  }
}
