/** The scheme that the app's own files are served under. */
export const SCHEME = 'app'

/** Whom it is served for: the host of the address. */
export const HOST = 'demo'

/**
 * The origin of the app's page. `file://` would have none: such a page says `Origin: null`, as every
 * sandboxed frame does.
 */
export const ORIGIN = `${SCHEME}://${HOST}`

/** The only address that a window shows. */
export const PAGE_URL = `${ORIGIN}/`
