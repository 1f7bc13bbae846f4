import type { Tally } from '../contract.js'
import type { DesktopHost } from './host.js'

/**
 * Asks every window a question, all at once, and tells all of them how it stands with each answer.
 *
 * @param signal takes the question back: it vanishes from the windows.
 * @returns once each window has answered, or is gone.
 */
export async function askAllWindows(
  { all }: Pick<DesktopHost, 'all'>,
  text: string,
  signal: AbortSignal,
): Promise<Tally> {
  const tally: Tally = { pages: all.size, yes: 0, no: 0, none: 0 }
  // A person may take long.
  const options = { timeout: Number.POSITIVE_INFINITY, signal }
  for await (const outcome of all.each('confirm', { text }, options)) {
    // A window that was closed or reloaded has no answer; the others' count none the less.
    tally[outcome.status === 'ok' ? outcome.value : 'none']++
    if (!signal.aborted) await all.notify('tally', { ...tally, text })
  }
  return tally
}

/** `1 yes, 1 no`. */
export function describeTally({ yes, no, none }: Tally): string {
  return `${yes} yes, ${no} no${none > 0 ? `, ${none} without an answer` : ''}`
}
