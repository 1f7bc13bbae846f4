/** The longest text of one line, in characters. */
const LONGEST = 10_000
/** The most members of a value that are shown. */
const MOST_MEMBERS = 100
const DEEPEST = 4
/** A line of a stack that names none of the files. */
const FOREIGN_FRAME = /\n\s+at (?!.*\b(?:contract|server|client)\.ts:).*/g
const OWN_FRAME = /\b((?:contract|server|client)\.ts:\d+)/

/** Formats the arguments of `console.log`, as a terminal shows them. */
export function formatLine(values: readonly unknown[]): string {
  const text = values
    .map((value) =>
      typeof value === 'string' ? value.replaceAll(FOREIGN_FRAME, '') : formatValue(value),
    )
    .join(' ')
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length} characters)` : text
}

/** Formats a value. Its getters are not called. */
export function formatValue(value: unknown, parents: readonly object[] = []): string {
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return `[Function ${value.name || '(anonymous)'}]`
  if (typeof value !== 'object' || value === null) return String(value)
  if (parents.includes(value)) return '[Circular]'
  if (value instanceof Error) return formatError(value, parents)
  if (parents.length >= DEEPEST) return Array.isArray(value) ? '[Array]' : '[Object]'
  const within = [...parents, value]
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof RegExp) return String(value)
  if (value instanceof Promise) return 'Promise {}'
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${value.byteLength}) {}`
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const items = Array.from(value as Uint8Array | BigInt64Array, String)
    return `${nameOf(value)}(${items.length}) ${listed('[', items, ']')}`
  }
  if (Array.isArray(value)) {
    return listed(
      '[',
      value.map((item: unknown) => formatValue(item, within)),
      ']',
    )
  }
  if (value instanceof Map) {
    const items = [...value].map((pair) =>
      pair.map((part) => formatValue(part, within)).join(' => '),
    )
    return `Map(${value.size}) ${listed('{', items, '}')}`
  }
  if (value instanceof Set) {
    return `Set(${value.size}) ${listed(
      '{',
      [...value].map((item) => formatValue(item, within)),
      '}',
    )}`
  }
  const name = nameOf(value)
  return `${name === 'Object' ? '' : `${name} `}${listed('{', membersOf(value, within), '}')}`
}

/** An error: its name, its message, the lines of the files that it comes from, and what it says besides, such as `code`. */
function formatError(error: Error, parents: readonly object[]): string {
  const within = [...parents, error]
  const frames = (error.stack ?? '')
    .split('\n')
    .flatMap((frame) => OWN_FRAME.exec(frame)?.[1] ?? [])
  const places = [...new Set(frames)].map((place) => `\n    at ${place}`).join('')
  const unset = Object.keys(error).filter((key) => error[key as keyof Error] === undefined)
  const members = membersOf(error, within, ['name', 'message', 'stack', 'cause', ...unset])
  if (error.cause !== undefined) members.push(`cause: ${formatValue(error.cause, within)}`)
  const head = error.message === '' ? error.name : `${error.name}: ${error.message}`
  return `${head}${places}${members.length > 0 ? ` ${listed('{', members, '}')}` : ''}`
}

function membersOf(
  value: object,
  within: readonly object[],
  without: readonly string[] = [],
): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(value)).flatMap(([key, member]) => {
    if (!member.enumerable || without.includes(key)) return []
    const name = /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? key : quoted(key)
    return [`${name}: ${member.get ? '[Getter]' : formatValue(member.value, within)}`]
  })
}

function listed(begin: string, items: readonly string[], end: string): string {
  if (items.length === 0) return begin + end
  const left = items.length - MOST_MEMBERS
  const shown = left > 0 ? [...items.slice(0, MOST_MEMBERS), `… ${left} more`] : items
  const space = begin === '[' ? '' : ' '
  return `${begin}${space}${shown.join(', ')}${space}${end}`
}

function nameOf(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null) return '[null prototype]'
  const maker = (value as { constructor?: unknown }).constructor
  return typeof maker === 'function' ? maker.name : 'Object'
}

function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}
