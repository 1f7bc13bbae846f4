/** The preload: what will forward a page's port to main. */
export { type HandOver, isHandOver } from './hand-over.js'
