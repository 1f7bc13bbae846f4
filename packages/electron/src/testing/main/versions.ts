/** The versions that `process.versions` has in Electron, and not in Node: of the Electron played. */
export const PLAYED_VERSIONS = { electron: '45.0.0', chrome: '147.0.0.0' }
