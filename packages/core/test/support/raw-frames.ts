import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Frames of a client, each masked with zeros: RFC 6455, section 5.2. */
export function rawFrame(first: number, payload: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(payload)
  const length =
    bytes.length < 126 ? [0x80 | bytes.length] : [0xfe, bytes.length >> 8, bytes.length & 255]
  return Buffer.concat([Buffer.from([first, ...length, 0, 0, 0, 0]), bytes])
}

export const TEXT = 0x81
export const BYTES = 0x82
export const PING = 0x89
export const PONG = 0x8a

/** The beginning of a frame of bytes that says that nearly 2 GiB follow. */
export const HUGE = Buffer.from([BYTES, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0, 0, 0, 0, 0])

/** A client's TCP socket past its upgrade, for frames of any kind. */
export class RawSocket {
  readonly socket: Socket
  #came = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.#came = Buffer.concat([this.#came, chunk])
    })
  }

  static async connect(port: number): Promise<RawSocket> {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(
      [
        'GET / HTTP/1.1',
        'Host: 127.0.0.1',
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        '\r\n',
      ].join('\r\n'),
    )
    await once(socket, 'data')
    return new RawSocket(socket)
  }

  /** Everything that came after the upgrade. */
  get came(): Buffer {
    return this.#came
  }

  send(...frames: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames))
  }
}
