import type { PortClose, PortMessage } from '../page/messages.js'

/** What the main process and a utility process say to each other. */
export type UtilityMessage =
  | { readonly type: 'message'; readonly message: unknown; readonly ports: readonly string[] }
  | PortMessage
  | PortClose
