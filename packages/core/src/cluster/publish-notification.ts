import type { SharedNotification } from '../calls/shared-notification.js'
import type { Format } from '../wire/format.js'
import type { ClusterNode } from './cluster-node.js'
import { Kind } from './envelope.js'
import { MAX_BUFFERED_BYTES } from './gathers.js'
import { writePayload } from './payload.js'
import { topicOf } from './topics.js'

/**
 * Publishes a notification for the channels of all other nodes, once.
 *
 * @param group undefined for all channels.
 * @param except the ids of channels that do not get it.
 * @returns `not-sent` if the engine is down, too much waits to be sent to it, or the codec can't carry the params, which
 *   each local target learns, too.
 */
export function publishNotification(
  node: ClusterNode,
  format: Format,
  group: string | undefined,
  { method, params }: SharedNotification,
  except: ReadonlySet<string>,
): 'published' | 'not-sent' {
  if (!node.isUp || node.options.engine.bufferedBytes > MAX_BUFFERED_BYTES) return 'not-sent'
  const message = { jsonrpc: '2.0', method, ...(params !== undefined && { params }) }
  let payload: ReturnType<typeof writePayload>
  try {
    payload = writePayload(format, message)
  } catch {
    return 'not-sent'
  }
  const { f, body } = payload
  const x = [...except]
  const head = { ...(group !== undefined && { g: group }), ...(x.length > 0 && { x }), f }
  const { subjects } = node
  const subject = group === undefined ? subjects.all : subjects.topic(topicOf(group))
  return node.publish(subject, Kind.notify, head, body) ? 'published' : 'not-sent'
}
