import { connect, type createConnection, type NetConnectOpts, type Socket } from 'node:net'
import type { Wire } from './ws-transport.js'

/** The memory that all such connections read into, one after another. It has the size that Node gives to each read. */
const memory = Buffer.allocUnsafeSlow(64 * 1024)

/**
 * Connects to a TCP port, for `ws`. Bytes that come go first to the connection's `readFirst`, once it has one. The
 * bytes that it leaves go to the connection's stream. Otherwise each read would fill its own 64 KiB, and Node would
 * make a chunk of its stream and an event of it: if many sockets receive little each, that is a sixth of all work.
 */
export const connectDirectly = ((options: NetConnectOpts): Socket => {
  const callback = (size: number): boolean => {
    const { readFirst } = socket
    // Bytes that came before may still wait in the stream.
    const read = readFirst && socket.readableLength === 0 ? readFirst(memory, size) : 0
    return read === size || socket.push(Buffer.from(memory.subarray(read, size)))
  }
  const socket: Socket & Pick<Wire, 'readFirst'> = connect({
    ...options,
    // `ws` passes the path of the address, which would mean a socket in the file system.
    path: undefined,
    onread: { buffer: memory, callback },
  } as NetConnectOpts)
  return socket
  // The other forms of `createConnection` are not used.
}) as typeof createConnection
