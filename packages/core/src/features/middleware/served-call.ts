import type { CallContext } from '../../calls/call-context.js'
import type { SurroundedNotification, SurroundedRequest } from '../../calls/feature.js'
import { type ErrorForCaller, errorForCaller } from '../../calls/refusals.js'
import { RpcError } from '../../errors/errors.js'
import { type ErrorMessage, neverRanMessage, type ResponseMessage } from '../../wire/message.js'

/**
 * Sends a call through the middleware.
 *
 * @param serve runs the call.
 * @param told makes the error that the middleware gets of a thrown value.
 */
type Through = (serve: () => Promise<unknown>, told: (thrown: unknown) => Error) => Promise<unknown>

/** Serves a request through the middleware. @throws the reason why it has no result. */
export async function serveThrough(
  request: SurroundedRequest,
  context: CallContext,
  through: Through,
): Promise<ResponseMessage> {
  const { id, method } = context
  let isLetIn = false
  /** The error answer of the call, which is thrown through the middleware. */
  let refusal: ErrorMessage | undefined
  const resultOf = async () => {
    const answer = await request.serve()
    if (context.isLeft) return undefined
    if (!('error' in answer)) return answer.result
    refusal = answer
    throw answer
  }
  const serve = () => {
    isLetIn = true
    return served(context, resultOf())
  }
  const told = (thrown: unknown) =>
    refusal && thrown === refusal
      ? new RpcError(refusal.error.code, refusal.error.message, refusal.error.data, { method })
      : errorOf(thrown, context, request)
  try {
    const result = await through(serve, told)
    if (context.kind !== 'stream') return request.answer(result)
    // The items of a stream are its result, and middleware may return before the last item.
    await context.served
    return request.answer(undefined)
  } catch (thrown) {
    if (refusal && thrown === refusal) return refusal
    const refused = isLetIn ? undefined : errorForCaller(thrown)
    if (refused) return neverRanMessage(id, refused.code, refused.message, refused.data)
    throw thrown
  }
}

/** Runs a notification through the middleware. @throws the reason why it was dropped, or has failed. */
export function hearThrough(
  notification: SurroundedNotification,
  context: CallContext,
  through: Through,
): Promise<unknown> {
  const hear = async () => void (await notification.run())
  return through(
    () => served(context, hear()),
    (thrown) => errorOf(thrown, context, notification),
  )
}

/** The error that the caller gets for a failure, for the middleware around the call. */
function errorOf(
  thrown: unknown,
  { method }: CallContext,
  { failure }: { failure(thrown: unknown): ErrorForCaller },
): RpcError {
  if (errorForCaller(thrown)) return thrown as RpcError
  const { code, message, data } = failure(thrown)
  return new RpcError(code, message, data, { method, cause: thrown })
}

/** Records that the handler of a call runs, until it has ended. */
function served<T>(context: CallContext, end: Promise<T>): Promise<T> {
  const ended = end.finally(() => (context.served = undefined))
  context.served = ended
  return ended
}
