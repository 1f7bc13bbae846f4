/** Electron without its binary: a real Chromium, and the main process played over the DevTools protocol. */
export { ElectronBenchError, NotPlayedError } from './testing/bench-errors.js'
export {
  type BenchedElectron,
  type BenchWindowHandle,
  type ElectronApp,
  type ElectronAppOptions,
  launchElectronApp,
} from './testing/launch-electron-app.js'
export {
  type BenchWindow,
  type ElectronBench,
  type ElectronBenchOptions,
  launchElectronBench,
} from './testing/launch-electron-bench.js'
export type {
  BenchRecord,
  RecordedMenu,
  RecordedMenuItem,
  RecordedTray,
} from './testing/main/bench-record.js'
export type { PlayedElectron } from './testing/main/main-process.js'
