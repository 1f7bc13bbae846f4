import type { ChromiumOptions } from '../browser/chromium-process.js'
import type { AppDescription } from '../main/app.js'

/** The first message to an app's process: its options. */
export interface AppStart {
  readonly type: 'start'
  /** The main file, with its folders resolved. */
  readonly main: string
  readonly app: AppDescription
  readonly chromium: ChromiumOptions
}

/** The messages of the test to the app's process. */
export type ToApp =
  | AppStart
  | {
      readonly type: 'evaluate'
      readonly id: number
      /** The source of a function. Its argument is the electron module, or a window if one is named. */
      readonly source: string
      readonly argument: unknown
      /** The page of the window that the function gets. */
      readonly targetId: string | undefined
    }
  | { readonly type: 'quit' }

/** The messages of the app's process to the test. */
export type FromApp =
  | {
      readonly type: 'started'
      readonly endpoint: string
      readonly chromiumPid: number | undefined
    }
  | { readonly type: 'failed'; readonly error: unknown }
  | { readonly type: 'window'; readonly targetId: string; readonly isThere: boolean }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly error: unknown }
