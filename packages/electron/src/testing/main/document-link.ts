import type { DevtoolsSession } from '../browser/devtools-connection.js'
import type { FromWorld, ToWorld } from '../page/messages.js'
import { DOWN } from '../page/page-script.js'
import { createStructuredText } from '../structured-text.js'
import { PortBridge } from './port-bridge.js'

const text = createStructuredText()

/** The connection of the main process to one document: to its isolated world, in which its preload runs. */
export class DocumentLink {
  readonly ports = new PortBridge((message) => this.send(message), 'm')
  #world: { readonly session: DevtoolsSession; readonly contextId: string } | undefined
  #waiting: string[] = []
  #closed = false

  /** Reads what a document says. */
  static read(said: string): FromWorld {
    return text.parse(said) as FromWorld
  }

  get isOpen(): boolean {
    return this.#world !== undefined && !this.#closed
  }

  /** The document's isolated world exists: what was said before goes there first. */
  open(session: DevtoolsSession, contextId: string): void {
    this.#world = { session, contextId }
    for (const said of this.#waiting.splice(0)) this.#write(said)
  }

  /** Throws if the message can't be cloned. Sends nothing to a document that is gone. */
  send(message: ToWorld): void {
    if (this.#closed) return
    const said = text.stringify(message)
    if (this.#world) this.#write(said)
    else this.#waiting.push(said)
  }

  /** The document is gone, and with it its ends of ports. Safe to call twice. */
  close(): void {
    this.#closed = true
    this.#waiting.length = 0
    this.ports.close()
  }

  #write(said: string): void {
    this.#world?.session.tell('Runtime.callFunctionOn', {
      functionDeclaration: `function (said) { globalThis[${JSON.stringify(DOWN)}](said) }`,
      arguments: [{ value: said }],
      uniqueContextId: this.#world.contextId,
    })
  }
}
