import type { MessagePortLike } from '@flashrpc/core'
import type { MessagePortMain } from 'electron'

/** A port of main's, or of a utility process's, as the DOM's ports are: Electron makes it an emitter. */
export function portOfMain(port: MessagePortMain): MessagePortLike {
  return {
    postMessage: (message) => port.postMessage(message),
    start: () => port.start(),
    close: () => port.close(),
    addEventListener: (type, listener) => {
      port.on(type as 'message', listener)
    },
  }
}
