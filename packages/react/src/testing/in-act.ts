import * as React from 'react'

/** Waits in React's `act`, if this is a test: all changes until the promise settles are rendered then. */
export async function inAct<T>(wait: () => Promise<T>): Promise<T> {
  const { IS_REACT_ACT_ENVIRONMENT: isTest } = globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }
  // Production builds of React have no `act`.
  if (!isTest || !React.act) return wait()
  return React.act(wait)
}
