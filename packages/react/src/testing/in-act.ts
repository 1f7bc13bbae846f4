import * as React from 'react'

/** Waits as React's own tests do, where this is one: what happens meanwhile is rendered when it is over. */
export async function inAct<T>(wait: () => Promise<T>): Promise<T> {
  const { IS_REACT_ACT_ENVIRONMENT: isTest } = globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }
  // Production builds of React have no `act`.
  if (!isTest || !React.act) return wait()
  return React.act(wait)
}
