/** What is needed of a stream of the web (`ReadableStream`). */
interface WebStream {
  getReader(): {
    read(): Promise<IteratorResult<unknown>>
    cancel(): Promise<void>
  }
}

/** Whether a source is a stream of the web, such as the body of a response. */
export function isWebStream(source: object): source is WebStream {
  return typeof (source as Partial<WebStream>).getReader === 'function'
}

/**
 * The items of a stream of the web. Its own iterator returns when the item has come that is asked for, which may never be:
 * until then the stream would stay open.
 */
export function iterateWebStream(stream: WebStream): AsyncIterator<unknown> {
  const reader = stream.getReader()
  return {
    next: () => reader.read(),
    async return() {
      await reader.cancel()
      return { done: true, value: undefined }
    },
  }
}
