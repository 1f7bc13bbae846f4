/** The web preferences that the bench heeds. */
export interface WebPreferences {
  readonly preload?: string | undefined
  readonly nodeIntegrationInSubFrames?: boolean | undefined
}
