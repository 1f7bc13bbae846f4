import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runInThisContext } from 'node:vm'
import { PlayedApp } from '../main/app.js'
import { type MainProcess, startMainProcess } from '../main/main-process.js'
import { PLAYED_VERSIONS } from '../main/versions.js'
import type { AppStart, FromApp, ToApp } from './app-messages.js'
import { provideElectron } from './electron-module.js'

/** The process of an app under test: plays Electron, and runs the app's own main file. */

const send = process.send?.bind(process)
if (!send) throw new Error('This module is for processes that launchElectronApp makes')
const say = (message: FromApp) => void send(message, undefined, undefined, () => {})
let played: { readonly main: MainProcess; readonly electron: object } | undefined

process.on('message', (message: ToApp) => {
  if (message.type === 'start') {
    start(message).catch((error) => {
      console.error(error)
      say({ type: 'failed', error: describe(error) })
      process.exitCode = 1
      process.disconnect()
    })
  } else if (message.type === 'quit') played?.main.app.quit()
  else {
    evaluate(message).then(
      (value) => say({ type: 'answer', id: message.id, value: cloneable(value) }),
      (error) => say({ type: 'failure', id: message.id, error: describe(error) }),
    )
  }
})
// The test is gone: nobody would end the app.
process.once('disconnect', () => process.exit())
if (!process.connected) process.exit()

async function start({ main: path, app, chromium }: AppStart): Promise<void> {
  becomeElectron(path, app.arguments)
  const main = await startMainProcess({
    ...chromium,
    app,
    schemes: [],
    onWindow: (targetId, isThere) => say({ type: 'window', targetId, isThere }),
    onExit: (code) => void main.close().finally(() => process.exit(code)),
  })
  played = { main, electron: provideElectron(main.electron as unknown as Record<string, unknown>) }
  say({ type: 'started', endpoint: main.endpoint, chromiumPid: main.pid })
  const awaited = PlayedApp.awaited(main.app)
  const loaded = import(pathToFileURL(path).href)
  // As in Electron: ready once the main file has run, though not after what it waits for itself.
  await Promise.race([loaded, awaited])
  setImmediate(() => PlayedApp.becomeReady(main.app))
  await loaded
}

/** Changes `process`, so that an app reads from it what it reads under Electron. */
function becomeElectron(main: string, args: readonly string[]): void {
  const versions = { ...process.versions, ...PLAYED_VERSIONS }
  Object.defineProperties(process, {
    versions: { value: Object.freeze(versions), enumerable: true },
    type: { value: 'browser', enumerable: true },
    resourcesPath: { value: dirname(main), enumerable: true, writable: true },
    defaultApp: { value: true, enumerable: true },
    send: { value: undefined },
    argv: { value: [process.execPath, main, ...args], enumerable: true, writable: true },
  })
}

async function evaluate(message: Extract<ToApp, { type: 'evaluate' }>): Promise<unknown> {
  if (!played) throw new Error('The app has not started')
  const { main, electron } = played
  const { source, argument, targetId } = message
  const run = runInThisContext(`(${source})`) as (subject: unknown, argument: unknown) => unknown
  if (targetId === undefined) return run({ ...electron, bench: main.record }, argument)
  const window = await main.windowOf(targetId)
  if (!window) throw new Error('The window is gone')
  return run(window, argument)
}

/** A value that can't be cloned is `undefined` in the test, as with Playwright. */
function cloneable(value: unknown): unknown {
  try {
    return structuredClone(value)
  } catch {
    return undefined
  }
}

/** An error as one that can be sent. */
function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error)
  const { name, message, stack } = error
  return { name, message, stack }
}
