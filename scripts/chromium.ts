import { existsSync } from 'node:fs'

/** Where browsers are commonly installed; looked at in this order. */
const INSTALLED = [
  process.env.CHROME_PATH,
  '/usr/bin/google-chrome',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/**
 * What the packaged Chromium is made for, functions that run once, and what no browser of a user's
 * does: one process for all windows, in which one closed ends them all; no same-origin policy, with
 * which a test of who may read what proves nothing.
 */
const UNWANTED = [
  '--single-process',
  '--disable-web-security',
  '--allow-running-insecure-content',
  '--disable-site-isolation-trials',
  '--disable-features=',
]

/** What playwright needs to start a Chromium. */
export interface ChromiumLaunch {
  executablePath: string
  args: string[]
}

/**
 * A Chromium for the tests: on Linux x64 the one inside the npm package, elsewhere one that is
 * installed (or `CHROME_PATH`). Nothing is downloaded.
 *
 * @throws {Error} where there is none, saying how to get one.
 */
export async function chromium(): Promise<ChromiumLaunch> {
  // Debian's and others' start-up calls home would only wait for a network that may not be there.
  const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update']
  if (process.platform === 'linux' && process.arch === 'x64' && !process.env.CHROME_PATH) {
    const { default: packaged } = await import('@sparticuz/chromium')
    const wanted = packaged.args.filter((arg) => !UNWANTED.some((name) => arg.startsWith(name)))
    return { executablePath: await packaged.executablePath(), args: [...wanted, ...quiet] }
  }
  const installed = INSTALLED.find((path) => path !== undefined && existsSync(path))
  if (installed) return { executablePath: installed, args: quiet }
  throw new Error('The browser tests need Chrome or Chromium: install one, or set CHROME_PATH')
}
