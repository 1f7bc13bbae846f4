import type { NotificationMessage, RequestMessage, ResultMessage } from './message.js'

/** How many names of methods are remembered as JSON. */
const MANY_NAMES = 1_000
const names = new Map<string, string>()

/**
 * What `JSON.stringify` makes of a message, letter by letter, in less time: of a small call, more than half of that
 * goes to members which are always the same.
 *
 * @param message with no `toJSON` in it but those of `Date`.
 */
export function jsonOf(message: object): string {
  const { id, method, params, result, rpc } = message as Partial<
    RequestMessage & NotificationMessage & ResultMessage
  >
  // JSON has ids that are more than a number can be.
  const hasNumber = Number.isFinite(id)
  if (rpc !== undefined || !(hasNumber || id === undefined)) return JSON.stringify(message)
  const head = hasNumber ? `{"jsonrpc":"2.0","id":${id},` : '{"jsonrpc":"2.0",'
  if (typeof method === 'string') {
    const begin = `${head}"method":${nameOf(method)}`
    const text = params === undefined ? `${begin}}` : `${begin},"params":${JSON.stringify(params)}}`
    return inOnePiece(text)
  }
  // Otherwise an error, or several messages.
  return result === undefined
    ? JSON.stringify(message)
    : `${head}"result":${JSON.stringify(result)}}`
}

/**
 * The same text. V8 keeps what it was put together of until somebody looks at a character, and that takes more than
 * twice as much: a call keeps its message until it is answered.
 */
function inOnePiece(text: string): string {
  return text.charCodeAt(0) ? text : ''
}

function nameOf(method: string): string {
  let name = names.get(method)
  if (name === undefined) {
    name = JSON.stringify(method)
    if (names.size === MANY_NAMES) names.clear()
    names.set(method, name)
  }
  return name
}
