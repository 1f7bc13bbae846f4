import { useSyncExternalStore } from 'react'

/** Whether the page is hidden, such as in a tab behind others. */
export function useIsHidden(): boolean {
  return useSyncExternalStore(subscribe, isHidden, () => false)
}

function subscribe(listener: () => void): () => void {
  document.addEventListener('visibilitychange', listener)
  return () => document.removeEventListener('visibilitychange', listener)
}

function isHidden(): boolean {
  return document.visibilityState === 'hidden'
}
