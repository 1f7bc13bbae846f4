/** The same with the export condition `development`: of a developer's own build, or `node --conditions=development`. */
export const TRACES_CALLS: boolean = true
