/** How much of a text is shown, in characters. */
const MOST = 200

/** What can move a terminal's cursor, begin a line of its own, or turn the direction of a text around. */
const CONTROLS = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu
/** The same, and what would end a quoted text. */
const CONTROLS_AND_QUOTES = /["\\\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu
/** The same as the first, but for line ends and tabs. */
const CONTROLS_IN_LINES =
  /(?![\n\t])[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/**
 * A text of somebody else's, in quotes, for a message or a line of a log: a method's name, an origin, the reason of a
 * close. It has no control characters, which are written as in JSON, and no more than 200 characters.
 *
 * @param value text; of anything else, its JSON. It never throws.
 */
export function quoted(value: unknown): string {
  if (typeof value !== 'string') return plain(jsonOf(value))
  return `"${shortened(value, MOST, CONTROLS_AND_QUOTES)}"`
}

/** The same without quotes, for where the text stands apart from others. */
export function plain(text: string, most: number = MOST): string {
  return shortened(text, most, CONTROLS)
}

/** A text of several lines, or of any length, without the control characters that are no line end or tab. */
export function plainLines(text: string): string {
  return text.replace(CONTROLS_IN_LINES, escaped)
}

function shortened(text: string, most: number, controls: RegExp): string {
  const shown = text.slice(0, most + 1).replace(controls, escaped)
  return shown.length > most ? `${shown.slice(0, most - 1)}…` : shown
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  if (character === '\n') return '\\n'
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? typeof value
  } catch {
    return typeof value
  }
}
