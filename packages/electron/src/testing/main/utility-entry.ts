import { EventEmitter } from 'node:events'
import { cloned, type MessageMain } from './message-port-main.js'
import { PortBridge } from './port-bridge.js'
import type { UtilityMessage } from './utility-messages.js'

/** Run in a utility process before its module: makes `process.parentPort`. */

const send = process.send?.bind(process)
if (!send) throw new Error('This module is for processes that utilityProcess.fork makes')
const say = (message: UtilityMessage) => void send(message, undefined, undefined, () => {})
const bridge = new PortBridge(say, 'u')

/** Electron's ParentPort: queues until somebody listens. */
class ParentPort extends EventEmitter {
  #waiting: MessageMain[] | undefined = []

  constructor() {
    super()
    this.on('newListener', (name) => {
      if (name !== 'message' || !this.#waiting) return
      const waiting = this.#waiting
      this.#waiting = undefined
      for (const event of waiting) setImmediate(() => this.emit('message', event))
    })
  }

  static receive(port: ParentPort, event: MessageMain): void {
    if (port.#waiting) port.#waiting.push(event)
    else port.emit('message', event)
  }

  /** Carries no ports, as in Electron. */
  postMessage(message: unknown): void {
    say({ type: 'message', message: cloned(message), ports: [] })
  }
}

const parentPort = new ParentPort()
process.on('message', (said: UtilityMessage) => {
  if (said.type !== 'message') return bridge.receive(said)
  ParentPort.receive(parentPort, { data: said.message, ports: bridge.take(said.ports) })
})
process.once('disconnect', () => process.exit())
if (!process.connected) process.exit()
// As in Electron, if there is no such channel.
Object.assign(process, { parentPort, type: 'utility', send: undefined })
