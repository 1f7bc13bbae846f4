/** Text of so many characters at the most is remembered. */
const SMALL = 16_384

let lastText = ''
let lastFrame: Uint8Array | undefined

/**
 * A text message as a server sends it: RFC 6455, section 5.2, one frame that is final, and not masked. What is told to
 * many is made once, as it comes again and again in one turn: nobody may change the frame.
 */
export function textFrame(text: string): Uint8Array {
  if (lastFrame && text === lastText) return lastFrame
  const frame = made(text)
  if (text.length <= SMALL) {
    lastText = text
    lastFrame = frame
  }
  return frame
}

function made(text: string): Uint8Array {
  const length = Buffer.byteLength(text)
  const at = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(at + length)
  frame[0] = 0x81
  if (at === 2) frame[1] = length
  else if (at === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.write(text, at)
  return frame
}
