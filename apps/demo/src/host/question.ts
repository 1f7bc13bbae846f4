import type { Answer, Tally } from '../contract.js'
import type { Page } from './pages.js'

/**
 * Asks pages a question, all at once, and waits for all of them: a person may take long.
 *
 * @param tell hears each answer as it comes.
 * @param signal takes the question back: it vanishes from the pages.
 */
export async function askPages(
  pages: readonly Page[],
  text: string,
  tell: (answer: Answer) => void,
  signal: AbortSignal,
): Promise<Tally> {
  const tally: Tally = { pages: pages.length, yes: 0, no: 0, none: 0 }
  await Promise.all(
    pages.map(async ({ number, name, channel }) => {
      const reply = await channel.other
        .confirm({ text }, { timeout: Number.POSITIVE_INFINITY, signal })
        // A page that was closed has no answer; the others' count none the less.
        .catch(() => 'none' as const)
      tally[reply]++
      // Taken back, nobody hears it any more.
      if (!signal.aborted) tell({ page: number, name, reply })
    }),
  )
  return tally
}
