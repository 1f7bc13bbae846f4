import { RpcValidationError } from '../../errors/errors.js'
import { plain } from '../../errors/quoted.js'
import type { NotTaken } from '../../wire/attachments.js'

/**
 * Says why bytes can't be sent to a side that does not take them.
 *
 * @param path the members that lead to the first of them, from the message on.
 * @param isExtended whether that side understands more than JSON-RPC 2.0.
 */
export function bytesNotTaken(path: readonly string[], isExtended: boolean): NotTaken {
  const [why, remedy] = isExtended
    ? ['it has not offered to', 'add bytes() to its features']
    : ['it speaks plain JSON-RPC 2.0', 'have flashrpc on the other side too']
  const reason = `the other side can't take: ${why}`
  return {
    detail: `it has bytes, which ${reason}`,
    ofCall(method) {
      const [, ...at] = path
      const where = ['params', ...at].join('.')
      const message = `${reason}. Send them as text, or ${remedy}`
      return new RpcValidationError(
        `"${method}" was not sent: ${where} is a Uint8Array, which ${message}`,
        [{ message, path: at }],
        'not-sent',
        { method },
      )
    },
    ofAnswer: (method) =>
      `${plain(path.join('.'))} in the answer of ${method} is a Uint8Array, which ${reason}`,
  }
}
