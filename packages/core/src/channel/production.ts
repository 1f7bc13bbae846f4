/** As much of Node's global as is used; bundlers replace `process.env.NODE_ENV` by a text. */
declare const process: { readonly env: { readonly NODE_ENV?: string | undefined } }

/** The origin of a page that this machine itself serves. */
const LOCAL = /^https?:\/\/([^/]+\.)?(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/

/**
 * Whether this program runs in production: `process.env.NODE_ENV` is `production`. If there is no `process`, as in a
 * page without a bundler, it is in production unless the page comes from this machine (`http://localhost:5173`).
 */
export function isProduction(): boolean {
  try {
    return process.env.NODE_ENV === 'production'
  } catch {
    return !LOCAL.test(String(globalThis.location?.origin))
  }
}
