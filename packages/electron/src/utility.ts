/** A utility process: what will serve a contract on its port. */
export { type HandOver, isHandOver } from './hand-over.js'
