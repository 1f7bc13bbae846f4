import type { PortClose, PortMessage } from '../page/messages.js'
import { MessageChannelMain, MessagePortMain } from './message-port-main.js'

/**
 * Ports that have one end here and one in another process: in a document, or in a utility process.
 * An id names a port on both sides.
 */
export class PortBridge {
  readonly #ports = new Map<string, MessagePortMain>()
  readonly #send: (message: PortMessage | PortClose) => void
  readonly #prefix: string
  #lastPort = 0
  #closed = false

  /**
   * @param send - Carries a message to the other side.
   * @param prefix - Begins the ids that are given on this side, and on no other.
   */
  constructor(send: (message: PortMessage | PortClose) => void, prefix: string) {
    this.#send = send
    this.#prefix = prefix
  }

  /** Moves ports to the other side. @returns their ids there. Throws if one can't be transferred. */
  give(ports: readonly MessagePortMain[]): string[] {
    return MessagePortMain.transfer(ports).map((port) =>
      this.#carry(port, `${this.#prefix}${++this.#lastPort}`),
    )
  }

  /** The ports that come from the other side under these ids. */
  take(ids: readonly string[]): MessagePortMain[] {
    return ids.map((id) => {
      const { port1, port2 } = new MessageChannelMain()
      this.#carry(port2, id)
      return port1
    })
  }

  receive(message: PortMessage | PortClose): void {
    const port = this.#ports.get(message.port)
    if (message.type === 'port-message') port?.postMessage(message.data, this.take(message.ports))
    else {
      this.#ports.delete(message.port)
      port?.close()
    }
  }

  /** The other side is gone: so are all ends that it had. Safe to call twice. */
  close(): void {
    this.#closed = true
    const ports = [...this.#ports.values()]
    this.#ports.clear()
    for (const port of ports) port.close()
  }

  #carry(port: MessagePortMain, id: string): string {
    if (this.#closed) {
      port.close()
      return id
    }
    this.#ports.set(id, port)
    port.on('message', ({ data, ports }) => {
      this.#send({ type: 'port-message', port: id, data, ports: this.give(ports) })
    })
    port.on('close', () => {
      if (this.#ports.delete(id)) this.#send({ type: 'port-close', port: id })
    })
    port.start()
    return id
  }
}
