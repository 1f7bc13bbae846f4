/** The outcomes of a number of calls. */
export interface LoadReport {
  calls: number
  /** From the first call to the last answer, in s. */
  seconds: number
  callsPerSecond: number
  /** The latencies of the answers, in ms; null if there were none. */
  latencyMs: { p50: number; p99: number; max: number } | null
  /** How many calls ended with an error, by its code. */
  errors: Record<string, number>
}

/** How many calls, and how many of them at a time. */
export interface LoadOptions {
  readonly calls: number
  readonly concurrency: number
  /** Ends it before all were made. */
  readonly signal: AbortSignal
  /** @returns whether an error ends it, too; others are counted. */
  readonly isFatal: (error: unknown) => boolean
  readonly codeOf: (error: unknown) => string
}

/**
 * Makes calls, so many at a time. Each begins when one before it was answered.
 *
 * @throws an error that is fatal.
 */
export async function generateLoad(
  call: () => Promise<unknown>,
  { calls, concurrency, signal, isFatal, codeOf }: LoadOptions,
): Promise<LoadReport> {
  const latencies: number[] = []
  const errors: Record<string, number> = {}
  let left = calls
  let made = 0
  const begin = performance.now()
  const work = async (): Promise<void> => {
    while (left > 0 && !signal.aborted) {
      left--
      const at = performance.now()
      try {
        await call()
        latencies.push(performance.now() - at)
      } catch (error) {
        if (signal.aborted) return
        if (isFatal(error)) {
          left = 0
          throw error
        }
        errors[codeOf(error)] = (errors[codeOf(error)] ?? 0) + 1
      }
      made++
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, calls) }, work))
  const seconds = (performance.now() - begin) / 1000
  return {
    calls: made,
    seconds,
    callsPerSecond: made / seconds,
    latencyMs: spread(latencies),
    errors,
  }
}

function spread(latencies: number[]): LoadReport['latencyMs'] {
  if (latencies.length === 0) return null
  const sorted = Float64Array.from(latencies).sort()
  // The nearest rank: so many of a hundred took as long, or less.
  const percentile = (percent: number) =>
    sorted[Math.ceil((percent / 100) * sorted.length) - 1] as number
  return { p50: percentile(50), p99: percentile(99), max: percentile(100) }
}
