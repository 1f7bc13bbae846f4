import type { FromWorld } from '../page/messages.js'
import { IpcMain } from './ipc-main.js'
import { cloned } from './message-port-main.js'
import { WebFrameMain } from './web-frame-main.js'

/** A window's page, as far as its messages go. */
interface Sender {
  readonly ipc: IpcMain
}

/** Gives main what a document said by `ipcRenderer`, or over a port. */
export function receiveIpc(
  ipcMain: IpcMain,
  sender: Sender,
  frame: WebFrameMain,
  message: FromWorld,
): void {
  const link = WebFrameMain.linkOf(frame)
  // The same order as in Electron: the frame's own, the window's, everyone's.
  const targets = [frame.ipc, sender.ipc, ipcMain]
  switch (message.type) {
    case 'send':
    case 'post': {
      const ports = message.type === 'post' ? link.ports.take(message.ports) : []
      const args = message.type === 'post' ? [message.message] : message.args
      const event = ipcEvent(sender, frame, { ports })
      for (const target of targets) target.emit(message.channel, event, ...args)
      return
    }
    case 'invoke': {
      const { id, channel, args } = message
      const handler = targets
        .map((target) => IpcMain.handlerOf(target, channel))
        .find((each) => each !== undefined)
      const answer = async () => {
        if (!handler) throw new Error(`No handler registered for '${channel}'`)
        return cloned(await handler(ipcEvent(sender, frame, {}), ...args))
      }
      answer().then(
        (result) => link.send({ type: 'answer', id, result }),
        // An error arrives as its text, and as nothing else.
        (error) => link.send({ type: 'failure', id, error: String(error) }),
      )
      return
    }
    case 'port-message':
    case 'port-close':
      link.ports.receive(message)
      return
  }
}

function ipcEvent(sender: Sender, frame: WebFrameMain, more: object): object {
  const { processId, routingId: frameId } = frame
  return Object.defineProperties(
    {
      type: 'frame',
      sender,
      processId,
      frameId,
      reply: (channel: string, ...args: unknown[]) => {
        if (!frame.detached) frame.send(channel, ...args)
      },
      preventDefault() {},
      ...more,
    },
    // Looked up at each reading: gone with the document.
    { senderFrame: { get: () => (frame.detached ? null : frame), enumerable: true } },
  )
}
