import { connect, type createConnection, type NetConnectOpts, type Socket } from 'node:net'
import type { Wire } from './ws-transport.js'

/** What all such connections read into, one after another: as much as Node gives to each read. */
const memory = Buffer.allocUnsafeSlow(64 * 1024)

/**
 * Connects to a TCP port, for `ws`. What comes is shown first to the connection's `readFirst`, once it has one, and
 * what that leaves goes to its stream. Node has each read fill 64 KiB of its own otherwise, and makes a chunk of its
 * stream of that, and an event: where many sockets hear little each, a sixth of all.
 */
export const connectDirectly = ((options: NetConnectOpts): Socket => {
  const callback = (size: number): boolean => {
    const { readFirst } = socket
    // What came before may wait in the stream still.
    const read = readFirst && socket.readableLength === 0 ? readFirst(memory, size) : 0
    return read === size || socket.push(Buffer.from(memory.subarray(read, size)))
  }
  const socket: Socket & Pick<Wire, 'readFirst'> = connect({
    ...options,
    // What `ws` gives is that of the address, and would be a socket's in the file system.
    path: undefined,
    onread: { buffer: memory, callback },
  } as NetConnectOpts)
  return socket
  // Its other forms are not used.
}) as typeof createConnection
