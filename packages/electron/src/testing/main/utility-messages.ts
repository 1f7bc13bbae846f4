import type { PortClose, PortMessage } from '../page/messages.js'

/** The messages between the main process and a utility process. */
export type UtilityMessage =
  | { readonly type: 'message'; readonly message: unknown; readonly ports: readonly string[] }
  | PortMessage
  | PortClose
