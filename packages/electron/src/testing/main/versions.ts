import type { AppDescription } from './app.js'

/** The versions that `process.versions` has in Electron, and not in Node: of the Electron played. */
export const PLAYED_VERSIONS = { electron: '45.0.0', chrome: '147.0.0.0' }

/** The `navigator.userAgent` of an app's pages. */
export function userAgent({ name, version }: Pick<AppDescription, 'name' | 'version'>): string {
  const { chrome, electron } = PLAYED_VERSIONS
  const app = `${name.replaceAll(/[^\w.-]/g, '')}/${version}`
  const system =
    process.platform === 'darwin'
      ? 'Macintosh; Intel Mac OS X 10_15_7'
      : process.platform === 'win32'
        ? 'Windows NT 10.0; Win64; x64'
        : 'X11; Linux x86_64'
  return `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) ${app} Chrome/${chrome} Electron/${electron} Safari/537.36`
}
