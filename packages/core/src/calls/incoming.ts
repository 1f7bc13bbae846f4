import { quoted } from '../errors/quoted.js'
import { isTimeLeft } from '../features/deadlines/deadline.js'
import { whyNoMeta } from '../features/middleware/meta.js'
import { type StreamRequest, whyNoStreams } from '../features/streams/served-streams.js'
import type { MessageId } from '../wire/message.js'

/** A call or a notification that came in. */
export interface Incoming {
  readonly method: string
  readonly params: unknown
  /** What a call says beside its params, as it came. */
  readonly rpc?: StreamRequest & {
    readonly progress?: unknown
    readonly deadlineMs?: unknown
    readonly meta?: unknown
  }
}

/** @returns what is wrong with what a request says beside its params, where something is. */
export function whyInvalid(id: MessageId, incoming: Incoming): string | undefined {
  const { method, rpc } = incoming
  // Most calls say nothing beside their params.
  if (rpc === undefined) return undefined
  const streamless = whyNoStreams(id, rpc)
  if (streamless) return streamless
  const { deadlineMs, progress } = rpc
  if (deadlineMs !== undefined && !isTimeLeft(deadlineMs)) {
    return `rpc.deadlineMs of ${quoted(method)} must be a number of ms, from 0`
  }
  if (progress !== undefined && !(progress === true && id !== null)) {
    return `rpc.progress of ${quoted(method)} must be true, with an id, or left out`
  }
  return whyInvalidMeta(incoming)
}

export function whyInvalidMeta({ method, rpc }: Incoming): string | undefined {
  const why = rpc?.meta === undefined ? undefined : whyNoMeta(rpc.meta)
  return why && `rpc.meta of ${quoted(method)} ${why}`
}
