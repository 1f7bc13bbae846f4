import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { ElectronBenchError } from '../bench-errors.js'
import { createTemporaryFolder } from '../temporary-folder.js'
import { DevtoolsConnection } from './devtools-connection.js'

/** The paths at which Chrome and Chromium are commonly installed. */
const INSTALLED = [
  '/usr/bin/google-chrome',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** Switches that would take away what the bench is there to show: origins, and processes of their own. */
const UNSAFE = [
  '--single-process',
  '--disable-web-security',
  '--disable-site-isolation-trials',
  '--allow-running-insecure-content',
]

const START_TIMEOUT = 30_000

/** Which Chromium, and how it is started. */
export interface ChromiumOptions {
  /** The program of Chrome or Chromium. Default: `CHROME_PATH`, then the common paths. */
  readonly executablePath?: string | undefined
  /** More switches for it. Those that switch off the web's own security are left out. Default: none. */
  readonly args?: readonly string[] | undefined
  /** No window on the screen. Default: `true`. */
  readonly headless?: boolean | undefined
  /** Folder for its profile. Default: the system's for temporary files. */
  readonly profiles?: string | undefined
  /** The `navigator.userAgent` of pages. Default: Chromium's own. */
  readonly userAgent?: string | undefined
}

/** A Chromium that reaches nothing but this machine, in a profile of its own that goes with it. */
export interface ChromiumProcess {
  readonly pid: number | undefined
  readonly devtools: DevtoolsConnection
  /** The address for Playwright. */
  readonly endpoint: string
  /** Ends it, and removes its profile. Safe to call twice. */
  close(): Promise<void>
}

/**
 * Starts Chromium.
 *
 * @param port - Of the server on 127.0.0.1 that stands for every host but `localhost`.
 * @throws {ElectronBenchError} if there is no Chromium, or it ends before it is ready.
 */
export async function startChromium(
  options: ChromiumOptions,
  port: number,
): Promise<ChromiumProcess> {
  const program = findChromium(options.executablePath)
  const profile = createTemporaryFolder(options.profiles)
  const child = spawn(program, switches(options, profile.path, port), {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    // A group of its own: what it leaves behind can be ended with it.
    detached: process.platform !== 'win32',
  })
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const onExit = () => {
    endGroup(child)
    profile.remove()
  }
  process.once('exit', onExit)
  let devtools: DevtoolsConnection | undefined

  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= (async () => {
      // Closed pipes end Chromium in order; one that does not heed that is ended.
      devtools?.close()
      const timer = setTimeout(() => endGroup(child), devtools ? 3_000 : 0)
      await exited
      clearTimeout(timer)
      endGroup(child)
      process.off('exit', onExit)
      profile.remove()
    })()
    return closing
  }

  try {
    const endpoint = await readEndpoint(child, program)
    devtools = new DevtoolsConnection(child.stdio[4] as Readable, child.stdio[3] as Writable)
    await devtools.browser.send('Browser.getVersion')
    return { pid: child.pid, devtools, endpoint, close }
  } catch (error) {
    await close()
    throw error
  }
}

function findChromium(given: string | undefined): string {
  const program = [given ?? process.env.CHROME_PATH, ...(given ? [] : INSTALLED)].find(
    (path) => path !== undefined && existsSync(path),
  )
  if (program) return program
  const where = given ? `There is no Chromium at ${given}` : 'No Chrome or Chromium was found'
  throw new ElectronBenchError(
    `${where}: install one and give its executablePath or CHROME_PATH, or run "npx playwright install chromium" and give chromium.executablePath()`,
  )
}

function switches(
  { args = [], headless = true, userAgent }: ChromiumOptions,
  profile: string,
  port: number,
): string[] {
  const local = ['localhost', '127.0.0.1', '[::1]'].map((host) => `EXCLUDE ${host}`)
  return [
    '--no-first-run',
    '--no-default-browser-check',
    '--disable-background-networking',
    '--disable-background-timer-throttling',
    '--disable-backgrounding-occluded-windows',
    '--disable-component-update',
    '--disable-default-apps',
    '--disable-extensions',
    '--disable-hang-monitor',
    '--disable-popup-blocking',
    '--disable-quic',
    '--disable-renderer-backgrounding',
    '--disable-sync',
    '--force-color-profile=srgb',
    '--password-store=basic',
    '--use-mock-keychain',
    ...(headless ? ['--headless', '--hide-scrollbars', '--mute-audio'] : []),
    ...(userAgent === undefined ? [] : [`--user-agent=${userAgent}`]),
    ...args.filter((arg) => !UNSAFE.includes(arg)),
    // Last, so that they win.
    '--site-per-process',
    '--no-proxy-server',
    `--host-resolver-rules=${[`MAP * 127.0.0.1:${port}`, ...local].join(', ')}`,
    // Electron switches this on; Chromium alone has no `close` event of ports.
    '--enable-blink-features=MessagePortCloseEvent',
    '--no-startup-window',
    '--remote-debugging-pipe',
    '--remote-debugging-port=0',
    `--user-data-dir=${profile}`,
  ]
}

/** Waits for the address that Chromium prints once it listens. */
function readEndpoint(child: ChildProcess, program: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const fail = (why: string) => {
      clearTimeout(timer)
      const output = said.trim() ? `; it said:\n${said.trim()}` : ''
      reject(new ElectronBenchError(`${program} ${why}${output}`))
    }
    const timer = setTimeout(() => fail(`was not ready within ${START_TIMEOUT} ms`), START_TIMEOUT)
    child.once('error', (error) => fail(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) => fail(`ended at its start (${code ?? signal})`))
    // Later output is read, too, or the pipe would fill.
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      if (said.length < 10_000) said += chunk
      const endpoint = /DevTools listening on (ws:\S+)/.exec(said)?.[1]
      if (endpoint === undefined) return
      clearTimeout(timer)
      resolve(endpoint)
    })
  })
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill('SIGKILL')
    else process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has ended, and all of its group with it.
  }
}
