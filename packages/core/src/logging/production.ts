/** The part of Node's global that is used. Bundlers replace `process.env.NODE_ENV` by a text. */
declare const process: {
  readonly env: { readonly NODE_ENV?: string | undefined }
  /** Electron's; `browser` in the main process. */
  readonly type?: string
  /** Electron's, in the main process: true if the app was started as `electron FOLDER`. */
  readonly defaultApp?: boolean
}

/** The origin of a page that this machine itself serves. */
const LOCAL = /^https?:\/\/([^/]+\.)?(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/

/**
 * Whether this program runs in production: `process.env.NODE_ENV` is `production`. If the variable is not set, the main
 * process of a packaged Electron app is in production, and no other program of Node. If there is no `process`, as in a
 * page without a bundler, it is in production unless the page comes from this machine (`http://localhost:5173`).
 */
export function isProduction(): boolean {
  try {
    const environment = process.env.NODE_ENV
    if (environment) return environment === 'production'
    return process.type === 'browser' && process.defaultApp !== true
  } catch {
    return !LOCAL.test(String(globalThis.location?.origin))
  }
}
