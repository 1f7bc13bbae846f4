/** Some of many calls ended with an error. */
export class BenchFailed extends Error {
  override readonly name = 'BenchFailed'

  constructor(failed: number, calls: number) {
    super(`${failed} of ${calls} calls ended with an error`)
  }
}
