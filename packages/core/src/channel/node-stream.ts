/** What is needed of a Node stream (`stream.Readable`) besides its items. */
interface NodeStream extends AsyncIterable<unknown> {
  on(event: 'error', listener: () => void): unknown
  destroy(): unknown
}

/** Whether a source is a stream of Node's, such as a file's. */
export function isNodeStream(source: object): source is NodeStream {
  const { on, destroy } = source as Partial<NodeStream>
  return typeof on === 'function' && typeof destroy === 'function' && Symbol.asyncIterator in source
}

/**
 * The items of a Node stream. Its own iterator does nothing until its first item is asked for: until then nobody
 * would hear of an error, which ends the process, and to return would leave the stream open.
 */
export function iterateNodeStream(stream: NodeStream): AsyncIterator<unknown> {
  const items = stream[Symbol.asyncIterator]()
  let hasBegun = false
  // The next item that is asked for throws it.
  stream.on('error', () => {})
  return {
    next() {
      hasBegun = true
      return items.next()
    },
    async return() {
      if (hasBegun) await items.return?.()
      else stream.destroy()
      return { done: true, value: undefined }
    },
  }
}
