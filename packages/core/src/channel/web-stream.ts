/** The part of a web stream (`ReadableStream`) that is needed. */
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
 * The items of a web stream. `return` of the stream's own iterator waits for the item that is asked for, which may
 * never come; until then the stream would stay open. This one cancels the stream at once.
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
