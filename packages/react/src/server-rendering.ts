import { type ClientSettings, type Middleware, RpcDisconnectedError } from '@flashrpc/core'

/**
 * The digest by which Next recognizes an error that only means "render this in the page". Next does not log it;
 * without a Suspense boundary it shows `reason`.
 */
const DIGEST = 'BAILOUT_TO_CLIENT_SIDE_RENDERING'

/** Adds a middleware that rejects a client's calls at once while nothing is mounted. */
export function refusingOnServers(
  use: ClientSettings['use'],
  isMounted: () => boolean,
): readonly Middleware[] {
  const refuse: Middleware = ({ direction, method }, next) => {
    if (isMounted() || direction === 'in') return next()
    throw refusal(method)
  }
  return [refuse, ...(Array.isArray(use) ? use : use === undefined ? [] : [use])]
}

/** Whether a call was rejected because a server was rendering. A repeated call would be rejected, too. */
export function isRefusedOnServer(error: unknown): boolean {
  return (error as { digest?: unknown } | undefined)?.digest === DIGEST
}

function refusal(method: string): RpcDisconnectedError {
  const message =
    `Rendering on a server: this client connects in the page, so "${method}" was not called. ` +
    'Put a <Suspense> around what calls while it renders, or give the provider a client of the server’s own'
  const reason = `A call of "${method}" while rendering`
  const error = new RpcDisconnectedError(message, 'not-sent', { method })
  return Object.assign(error, { digest: DIGEST, reason })
}
