/** The part of a Node stream (`stream.Readable`) that is used besides its items. */
interface NodeStream extends AsyncIterable<unknown> {
  on(event: 'error', listener: () => void): unknown
  destroy(): unknown
}

/** Whether a source is a Node stream, such as a file's. */
export function isNodeStream(source: object): source is NodeStream {
  const { on, destroy } = source as Partial<NodeStream>
  return typeof on === 'function' && typeof destroy === 'function' && Symbol.asyncIterator in source
}

/**
 * The items of a Node stream. The stream's own iterator does nothing until its first item is asked for. An error before
 * that would end the process, and `return` would leave the stream open. While an item is awaited, the iterator's
 * `return` waits for that item, which may never arrive.
 */
export function iterateNodeStream(stream: NodeStream): AsyncIterator<unknown> {
  const items = stream[Symbol.asyncIterator]()
  let hasBegun = false
  let isReturned = false
  // The next request for an item throws the error.
  stream.on('error', () => {})
  return {
    async next() {
      hasBegun = true
      try {
        return await items.next()
      } catch (thrown) {
        // The error only says that the stream was closed before its end.
        if (isReturned) return DONE
        throw thrown
      }
    },
    async return() {
      isReturned = true
      stream.destroy()
      if (hasBegun) await items.return?.()
      return DONE
    },
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }
