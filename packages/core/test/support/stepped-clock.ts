/**
 * Sets the wall clock of this process: `Date.now()` and `new Date()`. `performance.now()` goes on, and so do timers, as
 * they do when the clock of a machine is set.
 */
const RealDate = Date
let ahead = 0

class SteppedDate extends RealDate {
  constructor(...args: unknown[]) {
    if (args.length === 0) super(SteppedDate.now())
    else super(...(args as [number]))
  }

  static override now(): number {
    return RealDate.now() + ahead
  }
}

globalThis.Date = SteppedDate as DateConstructor

/** @param ms how far, forward or (below 0) back. */
export function stepClock(ms: number): void {
  ahead += ms
}
