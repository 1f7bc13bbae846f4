import type { FaultProxy } from '@flashrpc/core/testing'

/** The ways in which a connection is ended, or held up. */
export const FAULTS = [
  'cut',
  'reset',
  'cut after bytes up',
  'cut after bytes down',
  'reset after bytes',
  'black hole',
  'stall',
  'delay',
] as const

export type Fault = (typeof FAULTS)[number]

/** One fault of a schedule. */
export interface Planned {
  readonly fault: Fault
  /** Bytes, or ms, by the fault. */
  readonly size: number
}

/** @returns the faults of a run, the same for the same seed. */
export function planFaults(count: number, random: () => number): Planned[] {
  return Array.from({ length: count }, () => {
    // The short way is taken most often; what takes time, seldom.
    const pick = random()
    const fault: Fault =
      pick < 0.25
        ? 'cut'
        : pick < 0.45
          ? 'reset'
          : pick < 0.6
            ? 'cut after bytes up'
            : pick < 0.75
              ? 'cut after bytes down'
              : pick < 0.9
                ? 'reset after bytes'
                : pick < 0.95
                  ? 'black hole'
                  : pick < 0.98
                    ? 'stall'
                    : 'delay'
    return { fault, size: Math.floor(random() * 2_000) }
  })
}

/** Does it to the connections of a proxy. Resolves when the next may come. */
export async function inflict(proxy: FaultProxy, { fault, size }: Planned): Promise<void> {
  switch (fault) {
    case 'cut':
      return proxy.cut()
    case 'reset':
      return proxy.reset()
    case 'cut after bytes up':
      return proxy.cutAfter({ up: size, once: true })
    case 'cut after bytes down':
      return proxy.cutAfter({ down: size, once: true })
    case 'reset after bytes':
      return proxy.resetAfter({ up: size, down: 2_000 - size, once: true })
    case 'black hole':
      proxy.blackHole(size % 2 === 0 ? { up: true } : { up: true, down: true })
      await sleep(size / 100)
      return proxy.heal()
    case 'stall':
      proxy.stall()
      await sleep(size / 50)
      return proxy.heal()
    case 'delay':
      proxy.delay({ up: 1 + (size % 5), down: 1 + (size % 3), jitterMs: 3 })
      await sleep(size / 20)
      return proxy.heal()
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
