/**
 * Each program holds a lock of its own while it lives. A program that waits for the lock of another, and gets it, knows
 * that the other has ended: closed, crashed or discarded.
 *
 * Source: Web Locks API, https://www.w3.org/TR/web-locks/. Browsers have it on secure pages only.
 */
function hasLocks(): boolean {
  return globalThis.navigator?.locks !== undefined
}

/**
 * Holds a lock until the signal aborts, or this program ends.
 *
 * @returns a promise of its name, which resolves when it is held; of `undefined` if it can't be had.
 */
export function holdLock(name: string, signal: AbortSignal): Promise<string | undefined> {
  if (!hasLocks()) return Promise.resolve(undefined)
  return new Promise((resolve) => {
    const until = new Promise<void>((release) => signal.addEventListener('abort', () => release()))
    const hold = () => {
      resolve(name)
      return until
    }
    // A page that is not active any more gets no lock, and needs no error.
    navigator.locks.request(name, { signal }, hold).catch(() => resolve(undefined))
  })
}

/** Calls `free` when a lock that another program holds is free, unless the signal aborts before. */
export function whenFree(name: string | undefined, signal: AbortSignal, free: () => void): void {
  if (name === undefined || !hasLocks()) return
  // In mode `shared`, all that wait for the lock get it at once.
  navigator.locks.request(name, { mode: 'shared', signal }, () => free()).catch(() => {})
}
