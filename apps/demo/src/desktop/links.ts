import { shell } from 'electron'

/** The addresses that the app opens in the person's browser: these, letter by letter. */
export const LINKS = {
  security: 'https://www.electronjs.org/docs/latest/tutorial/security',
  jsonRpc: 'https://www.jsonrpc.org/specification',
} as const

const ALLOWED: ReadonlySet<string> = new Set(Object.values(LINKS))

/**
 * Opens one of the {@link LINKS} in the person's browser, and nothing else: what the system makes of
 * an address can be to start a program.
 */
export function openLink(url: string): void {
  if (ALLOWED.has(url)) void shell.openExternal(url).catch(() => {})
}
