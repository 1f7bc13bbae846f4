import type { WebStream } from '../../calls/functions.js'

/** Whether a source is a web stream, such as the body of a response. */
export function isWebStream(source: object): source is WebStream<unknown> {
  return typeof (source as Partial<WebStream<unknown>>).getReader === 'function'
}

/**
 * The items of a web stream. `return` of the stream's own iterator waits for the item that is asked for, which may
 * never arrive; until then the stream would stay open. This iterator cancels the stream at once.
 */
export function iterateWebStream(stream: WebStream<unknown>): AsyncIterator<unknown> {
  const reader = stream.getReader()
  return {
    next: () => reader.read() as Promise<IteratorResult<unknown>>,
    async return() {
      await reader.cancel()
      return { done: true, value: undefined }
    },
  }
}
