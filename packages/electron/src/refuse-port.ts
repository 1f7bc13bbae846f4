import type { MessagePortMain } from 'electron'
import type { HandOverAnswer } from './hand-over.js'

/** Tells whoever handed a port over that it is refused, and why; the port is closed. */
export function refusePort(port: MessagePortMain, code: number, reason: string): void {
  port.postMessage({ flashrpc: 'refused', code, reason } satisfies HandOverAnswer)
  port.close()
}
