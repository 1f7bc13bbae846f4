import type { MessagePortMain } from 'electron'
import type { HandOverAnswer } from './hand-over.js'

/** Tells the side that handed a port over that it is refused, and why. It closes the port. */
export function refusePort(port: MessagePortMain, code: number, reason: string): void {
  port.postMessage({ flashrpc: 'refused', code, reason } satisfies HandOverAnswer)
  port.close()
}
