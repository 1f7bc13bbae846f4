/** A utility process: serves the pages that main lets through, and main itself. */
export { serveUtility, type UtilityOptions, type UtilityService } from './utility/serve-utility.js'
