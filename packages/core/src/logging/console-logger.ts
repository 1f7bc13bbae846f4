import { unref } from '../base/unref.js'
import type { ErrorPhase } from './error-context.js'
import type { Printer } from './logger.js'
import { isProduction } from './production.js'

/** How long the same text is not printed again, in ms. */
const QUIET_MS = 1_000
/** The most texts of one source that are printed in that time, because another party can cause any number of them. */
const MOST = 20
/** The longest text that is printed, in characters. */
const LONGEST = 4_000

/** The texts of one source. */
interface Source {
  /** When the texts of the last second were printed, by `performance.now()`, the oldest first. */
  readonly printed: Map<string, number>
  unprinted: number
  /** Whether a timer will print the number of the others. */
  isTimed: boolean
}

const ofOthers: Source = { printed: new Map(), unprinted: 0, isTimed: false }
const own: Source = { printed: new Map(), unprinted: 0, isTimed: false }

/** Phases of errors that the other side can cause at will, by what it sends. */
const OF_OTHERS: ReadonlySet<ErrorPhase | undefined> = new Set(['params', 'refused', 'frame'])

/** Prints warnings and errors to the console, unless the program runs in production. */
export const consolePrinter: Printer = {
  accepts: (level) => level !== 'debug' && !isProduction(),
  print(level, text, context) {
    const isOfOthers = level === 'warn' || OF_OTHERS.has(context?.phase)
    printToConsole(level as 'warn' | 'error', text, isOfOthers)
  },
}

/**
 * Prints a text to the console, each at most once a second, and at most 20 texts of each source a second.
 *
 * @param isOfOthers whether another party can cause the text at will. Such texts are counted apart, so that they can't
 *   keep the other ones from being printed.
 */
function printToConsole(level: 'warn' | 'error', text: string, isOfOthers: boolean): void {
  const source = isOfOthers ? ofOthers : own
  const { printed } = source
  const now = performance.now()
  for (const [earlier, at] of printed) {
    if (now - at < QUIET_MS) break
    printed.delete(earlier)
  }
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  if (printed.has(short)) return
  if (printed.size >= MOST) {
    source.unprinted++
    printCountLater(source)
    return
  }
  printed.set(short, now)
  printCount(source)
  console[level](short)
}

/**
 * Prints the number of skipped texts later, in case nothing else is printed. If a timer might keep the program alive,
 * there is none.
 */
function printCountLater(source: Source): void {
  if (source.isTimed) return
  source.isTimed = true
  const timer = setTimeout(() => {
    source.isTimed = false
    printCount(source)
  }, QUIET_MS)
  if (!unref(timer)) clearTimeout(timer)
}

function printCount(source: Source): void {
  if (source.unprinted === 0) return
  console.warn(
    `flashrpc: ${source.unprinted} messages were not printed: at most ${MOST} are printed a second`,
  )
  source.unprinted = 0
}
