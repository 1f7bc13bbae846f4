/** The default of `traceCalls` with the export condition `development`: in development builds, and with `node --conditions=development`. */
export const TRACES_CALLS: boolean = true
