/** Which ports of one JavaScript world lead to the main process. Made by {@link watchPortTransfers}. */
export interface PortTransfers {
  /** The port came from the main process: by a preload, or by the main process itself. */
  received(port: MessagePort): void
}

/**
 * Makes ports to the main process lose what Electron loses: a message that transfers anything but
 * ports arrives as `null` (electron#34905). Ports between a page and its own workers stay as they are.
 *
 * A page hands a port over by a message to its own window. That function is left alone, as the browser
 * derives `event.source` from who calls it; a port whose partner has gone, and not to a worker or
 * through another port, is taken for handed over.
 *
 * Self-contained on purpose: its source is what runs in both worlds of a page.
 */
export function watchPortTransfers(): PortTransfers {
  const partners = new WeakMap<MessagePort, MessagePort>()
  const leadToMain = new WeakSet<MessagePort>()
  const leadElsewhere = new WeakSet<MessagePort>()
  const Channel = globalThis.MessageChannel
  const post = MessagePort.prototype.postMessage
  const postToWorker = Worker.prototype.postMessage
  const clone = globalThis.structuredClone
  const gone = new Channel().port1
  clone(null, { transfer: [gone] })

  globalThis.MessageChannel = class MessageChannel extends Channel {
    constructor() {
      super()
      partners.set(this.port1, this.port2)
      partners.set(this.port2, this.port1)
    }
  }

  function listOf(
    options: Transferable[] | StructuredSerializeOptions | undefined,
  ): Transferable[] {
    return Array.isArray(options) ? options : (options?.transfer ?? [])
  }

  /** Whether the port was transferred. Clones nothing: `gone` refuses, and the first at fault is named. */
  function isGone(port: MessagePort): boolean {
    try {
      clone(null, { transfer: [port, gone] })
    } catch (error) {
      return String(error).includes('index 0')
    }
    return false
  }

  function leadsToMain(port: MessagePort): boolean {
    if (leadToMain.has(port)) return true
    const partner = partners.get(port)
    return partner !== undefined && !leadElsewhere.has(partner) && isGone(partner)
  }

  function go(transfer: Transferable[], toMain: boolean): void {
    for (const item of transfer) {
      if (!(item instanceof MessagePort)) continue
      if (!toMain) leadElsewhere.add(item)
      const partner = partners.get(item)
      if (toMain && partner) leadToMain.add(partner)
    }
  }

  MessagePort.prototype.postMessage = function (
    this: MessagePort,
    message: unknown,
    options?: Transferable[] | StructuredSerializeOptions,
  ) {
    const transfer = listOf(options)
    const toMain = transfer.length > 0 && leadsToMain(this)
    const ports = transfer.filter((item) => item instanceof MessagePort)
    if (toMain && ports.length < transfer.length) {
      // Detaches the transferred values, as in Electron. Throws if a value could not be cloned.
      clone(message, { transfer: transfer.filter((item) => !(item instanceof MessagePort)) })
      Reflect.apply(post, this, [null, ports])
    } else Reflect.apply(post, this, [message, transfer])
    go(ports, toMain)
  }

  Worker.prototype.postMessage = function (
    this: Worker,
    message: unknown,
    options?: Transferable[] | StructuredSerializeOptions,
  ) {
    Reflect.apply(postToWorker, this, [message, listOf(options)])
    go(listOf(options), false)
  }

  return { received: (port) => leadToMain.add(port) }
}
