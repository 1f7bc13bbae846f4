/** Something the bench needs is missing or failed: no Chromium, no Playwright, a launch that ended early. */
export class ElectronBenchError extends Error {
  /** The name of the class. */
  override name = 'ElectronBenchError'
}

/** An app used a part of Electron that the bench does not play; `member` names it. */
export class NotPlayedError extends ElectronBenchError {
  /** The name of the class. */
  override name = 'NotPlayedError'
  /** The part of Electron, such as `dialog.showOpenDialog`. */
  readonly member: string

  constructor(member: string) {
    super(
      `The bench does not play Electron's ${member}: stub it in the test, or test this in real Electron`,
    )
    this.member = member
  }
}
