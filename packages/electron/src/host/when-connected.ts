import { RpcDisconnectedError, RpcTimeoutError } from '@flashrpc/core'
import type { AnyServerChannel } from '@flashrpc/core/internal'
import type { WebContents } from 'electron'

/** What is waited for, and what ends the waiting. */
export interface Awaited {
  /** The channel, once it is ready. */
  look(): AnyServerChannel | undefined
  /** Tells when it is worth another look, and when the host is closed. @returns stops that. */
  subscribe(change: () => void, closed: () => void): () => void
  /** The window, where it is one. */
  readonly webContents: WebContents | undefined
  /** How long, in ms. */
  readonly timeout: number
}

/** Waits until a page is ready for calls. */
export function whenConnected(awaited: Awaited): Promise<AnyServerChannel> {
  const { webContents, timeout } = awaited
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const channel = awaited.look()
      if (!channel) return
      settle()
      resolve(channel)
    }
    const gone = (why: string) => (): void => {
      settle()
      reject(new RpcDisconnectedError(why, 'not-sent'))
    }
    const onDestroyed = gone('The window was closed before a page of it connected')
    const timer = setTimeout(() => {
      settle()
      const why = `No page of the window has connected within ${timeout} ms`
      reject(new RpcTimeoutError(why, 'not-sent'))
    }, timeout)
    const unsubscribe = awaited.subscribe(look, gone('The host was closed'))
    webContents?.once('destroyed', onDestroyed)
    function settle(): void {
      clearTimeout(timer)
      unsubscribe()
      webContents?.off('destroyed', onDestroyed)
    }
    look()
  })
}
