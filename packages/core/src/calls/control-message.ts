import { isMessageId, type MessageId, type NotificationMessage } from '../wire/message.js'

/** Makes a control message about a call. */
export function controlMessage(method: string, params: object): NotificationMessage {
  return { jsonrpc: '2.0', method, params }
}

/** @returns the id of the call that the params are about; `undefined` if there is none. */
export function readId(params: unknown): { id: MessageId } | undefined {
  const { id } = (params ?? {}) as { id?: unknown }
  return isMessageId(id) ? { id } : undefined
}
