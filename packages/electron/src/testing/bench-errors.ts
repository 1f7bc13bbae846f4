/** Something the bench needs is missing or failed: no Chromium, no Playwright, a launch that ended early. */
export class ElectronBenchError extends Error {
  override name = 'ElectronBenchError'
}

/** An app used a part of Electron that the bench does not play; `member` names it. */
export class NotPlayedError extends ElectronBenchError {
  override name = 'NotPlayedError'
  readonly member: string

  constructor(member: string) {
    super(
      `The bench does not play Electron's ${member}: stub it in the test, or test this in real Electron`,
    )
    this.member = member
  }
}
