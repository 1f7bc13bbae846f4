/**
 * How a page and main come to share a MessagePort (docs/protocol.md, "Electron"): the page makes a
 * MessageChannel and posts this message with one of its ports to its own window; the preload forwards
 * both to main, which answers on the port. Main hands a port over to a utility process alike.
 *
 * The preload is a file of its own, without imports: what it knows of this is written there again.
 */
export interface HandOver {
  readonly flashrpc: 'connect'
  /** The version of the hand-over. */
  readonly v: 1
  /** Which host, or which pipe, the port is for. */
  readonly name: string
}

/** The messages that come back on the port, before any frame. */
export type HandOverAnswer =
  /** From the preload: it is there, and the port is on its way. */
  | { readonly flashrpc: 'forwarded' }
  /** From main: it is finding out who the page is, which may take any time, and will answer then. */
  | { readonly flashrpc: 'deciding' }
  /** From main, or the utility process: from now on, the port carries frames. */
  | { readonly flashrpc: 'accepted' }
  /** From any of them. The close code says whether another attempt makes sense. */
  | { readonly flashrpc: 'refused'; readonly code: number; readonly reason: string }

/** From main to a utility process: the page whose port the process was handed is gone. The port itself may not tell. */
export interface Gone {
  readonly flashrpc: 'gone'
  /** The `id` of the hand-over. */
  readonly id: number
  readonly code: number
  readonly reason: string
}

/** The IPC channel on which the preload forwards. */
export const HAND_OVER_CHANNEL = 'flashrpc:connect'

/** The name of the host, if a page names none. */
export const DEFAULT_NAME = 'default'

/** The message to a port that is accepted. */
export const ACCEPTED: HandOverAnswer = { flashrpc: 'accepted' }

/** Posted to a port at once if it takes a while to find out who its page is. */
export const DECIDING: HandOverAnswer = { flashrpc: 'deciding' }

const LONGEST_NAME = 64

/** The message that hands a port over. */
export function handOverTo(name: string): HandOver {
  return { flashrpc: 'connect', v: 1, name }
}

/** Whether a name can be that of a host or a pipe. */
export function isHandOverName(name: unknown): name is string {
  return typeof name === 'string' && name.length > 0 && name.length <= LONGEST_NAME
}

/** Whether a message means to be a hand-over; it may still be malformed. Looks at own members only. */
export function claimsHandOver(message: unknown): boolean {
  return (
    typeof message === 'object' &&
    message !== null &&
    Object.hasOwn(message, 'flashrpc') &&
    (message as { flashrpc: unknown }).flashrpc === 'connect'
  )
}

/**
 * Reads a hand-over that came from another process, and so from anybody.
 *
 * @returns the hand-over, or what is wrong with it.
 */
export function readHandOver(message: unknown): HandOver | { readonly wrong: string } {
  if (!claimsHandOver(message)) return { wrong: 'The hand-over is malformed' }
  const { v, name } = message as Partial<Record<keyof HandOver, unknown>>
  if (v !== 1) {
    const said = typeof v === 'number' ? `is ${v}` : 'is missing'
    return {
      wrong: `The hand-over's version ${said}, and main's is 1: use one version of @flashrpc/electron everywhere`,
    }
  }
  if (!isHandOverName(name)) {
    return { wrong: `The hand-over names no host: a name has 1 to ${LONGEST_NAME} characters` }
  }
  return { flashrpc: 'connect', v, name }
}

/** Reads the message that a page is gone; undefined if it is another message. */
export function readGone(message: unknown): Gone | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  const { flashrpc, id, code, reason } = message as Partial<Record<keyof Gone, unknown>>
  const isGone = flashrpc === 'gone' && typeof id === 'number' && typeof code === 'number'
  return isGone && typeof reason === 'string' ? (message as Gone) : undefined
}
