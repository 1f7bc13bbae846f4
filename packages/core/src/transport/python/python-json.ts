/**
 * Reads JSON as Python's `json` writes it: with `NaN`, `Infinity` and `-Infinity` for numbers that JSON does not have.
 * They are read as null. Such a number also becomes null in JSON that is sent to Python, and in JSON that pydantic 2
 * writes.
 *
 * Source: https://docs.python.org/3/library/json.html, "Infinite and NaN Number Values".
 *
 * @throws {SyntaxError} if the text is not such JSON.
 */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!/NaN|Infinity/.test(text)) throw error
    return JSON.parse(withNull(text))
  }
}

const NO_NUMBERS = ['NaN', 'Infinity', '-Infinity']

/** @returns the text with null in place of `NaN`, `Infinity` and `-Infinity`. Strings are left as they are. */
function withNull(text: string): string {
  let written = ''
  /** How much of the text has been copied to `written`. */
  let done = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') at = endOfString(text, at)
    else {
      const word = NO_NUMBERS.find((one) => text.startsWith(one, at))
      if (word === undefined) continue
      written += `${text.slice(done, at)}null`
      done = at + word.length
      at = done - 1
    }
  }
  return written + text.slice(done)
}

/** @returns the index of the quote that ends the string, or the end of the text if there is none. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
