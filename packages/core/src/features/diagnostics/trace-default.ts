/** The default of the option `traceCalls`. It costs time for each call, so it is off in production. */
export const TRACES_CALLS: boolean = false
