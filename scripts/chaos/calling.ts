import { RpcError } from '@flashrpc/core'
import type { Ending, EndLedger } from './ledger.ts'

/** Of whoever is called: `run` writes down that it was, and answers. */
export interface Runs {
  run(params: { caller: string; n: number }): number
}

/** Of a server: its streams, of 0, 1, 2 and so on. */
export interface Streams {
  count(params: { upTo: number }): AsyncIterable<number>
  /** How many of the numbers that are sent along came in their places. */
  take(): number
  /** Gives back what is sent along. */
  echo(): AsyncIterable<number>
}

export interface Calling {
  readonly caller: string
  /** How many calls to make in all. */
  readonly count: number
  /** How many may be open at once. */
  readonly concurrency: number
  /** Makes one call. */
  readonly call: (params: { caller: string; n: number }) => Promise<number>
  /** Whether there is a connection now. */
  readonly isConnected: () => boolean
  readonly ends: EndLedger
  /** Told after every so many calls have ended. */
  readonly progress: (ended: number) => void
  /** Ends it: no further call is made. */
  readonly signal?: AbortSignal
}

/** How often {@link Calling.progress} is told, in calls. */
export const PROGRESS_EVERY = 20

/** Makes calls, so many at once, until all have been made and have ended. @returns how many were made. */
export async function makeCalls(calling: Calling): Promise<number> {
  const { caller, count, concurrency, call, isConnected, ends, progress, signal } = calling
  let made = 0
  let ended = 0
  const work = async (): Promise<void> => {
    while (made < count && !signal?.aborted) {
      const n = made++
      const wasOffline = !isConnected()
      let ending: Ending
      try {
        ending = (await call({ caller, n })) === n ? 'value' : 'error'
      } catch (error) {
        ending = endingOf(error)
      }
      ends.write({ caller, n, ending, wasOffline })
      if (++ended % PROGRESS_EVERY === 0) progress(ended)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  ends.flush()
  progress(ended)
  return made
}

function endingOf(error: unknown): Ending {
  const { outcome } = error as { outcome?: Ending }
  if (error instanceof RpcError && outcome !== undefined) return outcome
  console.error(error)
  return 'error'
}
