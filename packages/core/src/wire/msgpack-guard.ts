/**
 * Compares a MessagePack value with its length before it is decoded: five bytes can announce an array of four thousand
 * million items, and a reader that believes this allocates gigabytes.
 *
 * Source: MessagePack specification, "Formats", https://github.com/msgpack/msgpack/blob/master/spec.md#formats.
 *
 * @param containers application types whose data is one value, which is checked as well. Their reader checks whether
 *   the value ends where the data ends.
 * @throws {TypeError} if a value announces more than there is, or nests too deep.
 */
export function assertSane(
  bytes: Uint8Array,
  maxDepth: number,
  containers: ReadonlySet<number>,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = bytes.byteLength
  /** The number of values that are still to come, at each level of nesting. */
  const open: number[] = [1]
  /** The same number at all levels together. Each value takes at least a byte. */
  let owed = 1
  let at = 0

  const length = (width: number): number => {
    if (at + width > end) throw new TypeError('it ends too early')
    const value =
      width === 1 ? view.getUint8(at) : width === 2 ? view.getUint16(at) : view.getUint32(at)
    at += width
    return value
  }
  const skip = (count: number): void => {
    at += count
  }
  const enter = (items: number): void => {
    if (items === 0) return
    if (open.length > maxDepth) throw new TypeError(`it nests deeper than ${maxDepth}`)
    open.push(items)
    owed += items
  }

  const application = (size: number): void => {
    if (at === end) throw new TypeError('it ends too early')
    const type = view.getInt8(at++)
    if (!containers.has(type)) return skip(size)
    // The container's data counts as one more value in its place.
    open[open.length - 1] = (open.at(-1) ?? 0) + 1
    owed++
  }

  while (owed > 0) {
    if (owed > end - at) throw new TypeError('it announces more than there is')
    while (open.at(-1) === 0) open.pop()
    open[open.length - 1] = (open.at(-1) ?? 0) - 1
    owed--
    const head = view.getUint8(at++)
    if (head <= 0x7f || head >= 0xe0) continue // a small integer
    if (head <= 0x8f) enter(2 * (head & 0x0f))
    else if (head <= 0x9f) enter(head & 0x0f)
    else if (head <= 0xbf) skip(head & 0x1f)
    else if (head <= 0xc3)
      continue // nil, never used, false, true
    else if (head <= 0xc6)
      skip(length(1 << (head - 0xc4))) // bytes
    else if (head <= 0xc9) application(length(1 << (head - 0xc7)))
    else if (head <= 0xd3)
      skip(FIXED[head - 0xca] ?? 0) // numbers
    else if (head <= 0xd8)
      application(1 << (head - 0xd4)) // of a fixed size
    else if (head <= 0xdb)
      skip(length(1 << (head - 0xd9))) // text
    else if (head <= 0xdd) enter(length(2 << (head - 0xdc)))
    else enter(2 * length(2 << (head - 0xde)))
  }
  if (at > end) throw new TypeError('it ends too early')
}

/** The sizes of float 32 and 64, and of unsigned and signed integers of 8 to 64 bits. */
const FIXED = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8]
