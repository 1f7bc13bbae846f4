/** How long a text is not printed again, in ms. */
const QUIET_MS = 1_000
/** The most texts that are printed in that time: another party may be the cause of any number. */
const MOST = 20
/** The longest text that is printed, in characters. */
const LONGEST = 4_000

/** When the texts of the last second were printed, by `performance.now()`, the oldest first. */
const printed = new Map<string, number>()
let unprinted = 0

/** Prints a text to the console, each at most once a second, and at most 20 texts a second. */
export function printToConsole(level: 'warn' | 'error', text: string): void {
  const now = performance.now()
  for (const [earlier, at] of printed) {
    if (now - at < QUIET_MS) break
    printed.delete(earlier)
  }
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  if (printed.has(short)) return
  if (printed.size >= MOST) {
    unprinted++
    return
  }
  printed.set(short, now)
  if (unprinted > 0) {
    console.warn(`flashrpc: ${unprinted} messages were not printed: the most are ${MOST} a second`)
    unprinted = 0
  }
  console[level](short)
}
