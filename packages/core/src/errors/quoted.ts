/** The most characters of a text that are shown. */
const MOST = 200

/** Characters that can move a terminal's cursor, begin a new line, or change the direction of text. */
const CONTROLS = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu
/** The same, and those that would end a quoted text. */
const CONTROLS_AND_QUOTES = /["\\\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu
/** As the first, except line ends and tabs. */
const CONTROLS_IN_LINES =
  /(?![\n\t])[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/**
 * A text of another party, in quotes, for a message or a line of a log: a method's name, an origin, the reason of a
 * close. Control characters are escaped as in JSON, and at most 200 characters are shown.
 *
 * @param value a text; of any other value, its JSON is shown. It never throws.
 */
export function quoted(value: unknown): string {
  if (typeof value !== 'string') return plain(jsonOf(value))
  return `"${shortened(value, MOST, CONTROLS_AND_QUOTES)}"`
}

/** The same without quotes, for a text that stands by itself. */
export function plain(text: string, most: number = MOST): string {
  return shortened(text, most, CONTROLS)
}

/** A text of any length and number of lines. Other control characters than line ends and tabs are escaped. */
export function plainLines(text: string): string {
  return textOf(text).replace(CONTROLS_IN_LINES, escaped)
}

function shortened(text: unknown, most: number, controls: RegExp): string {
  const shown = textOf(text)
    .slice(0, most + 1)
    .replace(controls, escaped)
  return shown.length > most ? `${shown.slice(0, most - 1)}…` : shown
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  if (character === '\n') return '\\n'
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** A text, or the JSON of any other value. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : jsonOf(value)
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? typeof value
  } catch {
    return typeof value
  }
}
