/**
 * Reads JSON as Python's `json` writes it: with `NaN`, `Infinity` and `-Infinity` for numbers that JSON has no
 * word for. They are read as null, which is what such a number becomes in JSON on its way there, and with pydantic
 * 2 on its way here.
 *
 * Source: https://docs.python.org/3/library/json.html, "Infinite and NaN Number Values".
 *
 * @throws {SyntaxError} if the text is not even that.
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

/** The text with null in place of `NaN`, `Infinity` and `-Infinity`; strings are left as they are. */
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
