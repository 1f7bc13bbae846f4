/** The page: what will make a transport of its port. */
export { type HandOver, isHandOver } from './hand-over.js'
