import { RpcConfigError } from '@flashrpc/core'
import { plain } from '@flashrpc/core/internal'
import type { WebContents } from 'electron'
import { assertOrigins, remedyFor } from '../origins.js'
import type { ElectronFrame, ElectronPage } from './page.js'

/**
 * Which pages may connect: exact origins, each a whole window's; or a function that says of any
 * frame, at once, whether it may. Only `true` lets it in.
 */
export type Allow =
  | readonly string[]
  | ((frame: ElectronFrame, webContents: WebContents) => boolean)

/** Why a page may not connect; undefined if it may. */
export type Judge = (page: ElectronPage) => string | undefined

/**
 * @returns the rule as a function. It throws the errors of a function of the user.
 * @throws {RpcConfigError} if it is not a rule, or has an origin that no page can have.
 */
export function judgeOf(allow: Allow): Judge {
  if (typeof allow === 'function') {
    return ({ frame, webContents }) => {
      const verdict: unknown = allow(frame, webContents)
      if (verdict === true) return undefined
      if (typeof verdict === 'boolean') return `${whose(frame)} is not allowed`
      throw new RpcConfigError(
        `allow must answer true or false, and at once. It answered ${kindOf(verdict)}`,
      )
    }
  }
  assertOrigins(allow, {
    option: 'allow',
    otherwise: 'write a function (frame, webContents) => boolean',
  })
  const origins = new Set<string>(allow)
  return ({ frame }) => {
    if (!frame.isMainFrame)
      return `${whose(frame)} is in a page: allow must be a function to let it in`
    return origins.has(frame.origin)
      ? undefined
      : `${whose(frame)} is not in allow${remedyFor('allow', frame.origin)}`
  }
}

function whose({ origin, isMainFrame }: ElectronFrame): string {
  return isMainFrame ? `The origin ${plain(origin)}` : `A frame of the origin ${plain(origin)}`
}

function kindOf(verdict: unknown): string {
  return verdict instanceof Promise ? 'a promise' : `a value of type ${typeof verdict}`
}
