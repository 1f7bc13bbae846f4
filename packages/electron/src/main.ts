/** The main process: what will host the windows' channels. */
export { type HandOver, isHandOver } from './hand-over.js'
