/** The main process: hosts the channels of an Electron app's pages. */
export type { Allow } from './host/allow.js'
export { createElectronHost } from './host/create-host.js'
export type {
  ElectronHost,
  ElectronHostEvents,
  ElectronHostOptions,
  Refusal,
} from './host/electron-host.js'
export type { ElectronFrame, ElectronPage } from './host/page.js'
export type { ElectronTarget } from './host/target.js'
export { type UtilityTransportOptions, utilityTransport } from './host/utility-transport.js'
