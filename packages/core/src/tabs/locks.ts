/**
 * Who lives holds a lock of its own; who waits for it, and gets it, knows that the other is gone, however it
 * went: closed, crashed, discarded.
 *
 * Source: Web Locks API, https://www.w3.org/TR/web-locks/. Browsers have it on secure pages only.
 */
function hasLocks(): boolean {
  return globalThis.navigator?.locks !== undefined
}

/**
 * Holds a lock until the signal aborts, or this program ends.
 *
 * @returns resolves to its name when it is held; to `undefined` where there are no locks.
 */
export function holdLock(name: string, signal: AbortSignal): Promise<string | undefined> {
  if (!hasLocks()) return Promise.resolve(undefined)
  return new Promise((resolve) => {
    const until = new Promise<void>((release) => signal.addEventListener('abort', () => release()))
    const hold = () => {
      resolve(name)
      return until
    }
    // A page that is not active any more has no locks, and nobody to say so to.
    navigator.locks.request(name, { signal }, hold).catch(() => {})
  })
}

/** Tells when a lock that another program holds is free, unless the signal aborts before. */
export function whenFree(name: string | undefined, signal: AbortSignal, free: () => void): void {
  if (name === undefined || !hasLocks()) return
  // Shared: all who wait for it learn of it at once.
  navigator.locks.request(name, { mode: 'shared', signal }, () => free()).catch(() => {})
}
