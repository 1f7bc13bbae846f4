import type { CloseInfo, Transport } from '@flashrpc/core'

/** One end of a transport, read and written by hand: for tests whose clock stands still. */
export class RawEnd {
  /** What came and has not been taken, decoded. */
  // biome-ignore lint/suspicious/noExplicitAny: what came is compared as a whole, or read by name
  readonly came: any[] = []
  readonly closed: CloseInfo[] = []
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
    transport.start({
      frame: (frame) => this.came.push(JSON.parse(frame as string)),
      close: (info) => this.closed.push(info),
    })
  }

  /** Sends text as it is, anything else as JSON, and lets what follows from it happen. */
  async send(message: unknown): Promise<void> {
    this.#transport.send(typeof message === 'string' ? message : JSON.stringify(message))
    await settled()
  }

  /** Takes what came. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  take(): any[] {
    return this.came.splice(0)
  }
}

/** Lets everything happen that needs no time. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
}
