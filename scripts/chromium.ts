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
    // Made for functions that run once: in a single process, one closed window ends them all.
    const several = packaged.args.filter((arg) => arg !== '--single-process')
    return { executablePath: await packaged.executablePath(), args: [...several, ...quiet] }
  }
  const installed = INSTALLED.find((path) => path !== undefined && existsSync(path))
  if (installed) return { executablePath: installed, args: quiet }
  throw new Error('The browser tests need Chrome or Chromium: install one, or set CHROME_PATH')
}
