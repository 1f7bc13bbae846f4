import { RpcConfigError } from '@flashrpc/core'
import type { WebContents } from 'electron'
import type { ElectronFrame, ElectronPage } from './page.js'

/**
 * Which pages may connect: exact origins, each a whole window's; or a function that says of any
 * frame, at once, whether it may. Only `true` lets it in.
 */
export type Allow =
  | readonly string[]
  | ((frame: ElectronFrame, webContents: WebContents) => boolean)

/** Why a page may not connect; undefined where it may. */
export type Judge = (page: ElectronPage) => string | undefined

/**
 * @returns the rule as a function. It throws what a function of the user's throws.
 * @throws {RpcConfigError} where the rule is none, or has an origin that no page can have.
 */
export function judgeOf(allow: Allow): Judge {
  if (typeof allow === 'function') {
    return ({ frame, webContents }) => {
      const verdict: unknown = allow(frame, webContents)
      if (verdict === true) return undefined
      if (typeof verdict === 'boolean') return `${whose(frame)} is not allowed`
      throw new RpcConfigError(
        `allow must answer true or false, and at once; it answered ${kindOf(verdict)}`,
      )
    }
  }
  if (!Array.isArray(allow)) {
    throw new RpcConfigError(
      'allow must list the origins of your pages, such as ["app://demo"], or be a function',
    )
  }
  for (const origin of allow) assertOrigin(origin)
  const origins = new Set<string>(allow)
  return ({ frame }) => {
    if (!frame.isMainFrame)
      return `${whose(frame)} is in a page: allow must be a function to let it in`
    return origins.has(frame.origin) ? undefined : `${whose(frame)} is not in allow`
  }
}

function whose({ origin, isMainFrame }: ElectronFrame): string {
  return isMainFrame ? `The origin ${origin}` : `A frame of the origin ${origin}`
}

function kindOf(verdict: unknown): string {
  return verdict instanceof Promise ? 'a promise' : `a value of type ${typeof verdict}`
}

function assertOrigin(origin: unknown): void {
  if (origin === 'null') {
    throw new RpcConfigError(
      'allow has "null", which is the origin of every sandboxed frame: serve your pages by a scheme of your own, such as app://demo',
    )
  }
  if (typeof origin === 'string' && (origin === 'file://' || isOrigin(origin))) return
  throw new RpcConfigError(
    `allow has ${JSON.stringify(origin)}, which is no origin: write it as in "app://demo" or "http://localhost:5173", with nothing after it`,
  )
}

/** As Chromium serialises it: lower case, no default port, nothing after the host. */
function isOrigin(text: string): boolean {
  if (/^https?:/i.test(text)) return URL.canParse(text) && new URL(text).origin === text
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s*@]+$/.test(text)
}
