import { contract, type Present } from '../contract.js'
import type { Pages } from './pages.js'

/** The methods that pages can have mounted. */
const METHODS = Object.keys(contract.client) as (keyof (typeof contract)['client'])[]

/** Who is there, and what is mounted there: as it is now, and again after each change. */
export async function* presenceOf(pages: Pages, signal: AbortSignal): AsyncGenerator<Present[]> {
  const left = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  )
  while (!signal.aborted) {
    // Asked for first: what changes while this is sent is told next.
    const changed = pages.changed()
    yield pages.all().map(({ number, name, channel }) => ({
      page: number,
      name,
      methods: METHODS.filter((method) => channel.has(method)),
    }))
    await Promise.race([changed, left])
  }
}
