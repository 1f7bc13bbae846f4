import { type Client, createClient } from '@flashrpc/core'
import { inject } from 'vitest'
import type { Control } from '../../../../scripts/test-server/control.js'

/** A real server in another process, for one test. */
export interface TestServer extends AsyncDisposable {
  readonly port: number
  readonly url: string
  stop(): Promise<void>
  /** Starts it again on the same port. */
  restart(): Promise<void>
  count(): ReturnType<Control['count']>
  /** How many calls of pages run. */
  running(): Promise<number>
  /** What each page can be called for now. */
  mounted(): Promise<string[][]>
  callAll(method: 'confirm' | 'upper', text: string): ReturnType<Control['callAll']>
  notifyAll(text: string): Promise<void>
  /** Notifies every page so many times within a turn. */
  notifyMany(times: number): Promise<void>
  /** The page of `support/page.tsx`, as it is rendered in Node. */
  renderPage(): Promise<string>
}

export async function startServer(): Promise<TestServer> {
  const control: Client<Record<never, never>, Control> = createClient<Control>({
    url: inject('controlUrl'),
  })
  const { port, url } = await control.other.start({})
  let running = true
  const stop = async () => {
    if (!running) return
    running = false
    await control.other.stop({ port })
  }
  return {
    port,
    url,
    stop,
    async restart() {
      await control.other.start({ port })
      running = true
    },
    count: () => control.other.count({ port }),
    running: () => control.other.running({ port }),
    mounted: () => control.other.mounted({ port }),
    callAll: (method, text) => control.other.callAll({ port, method, text }),
    notifyMany: (times) => control.other.notifyMany({ port, times }),
    renderPage: () => control.other.renderPage({ url }),
    notifyAll: (text) => control.other.notifyAll({ port, text }),
    async [Symbol.asyncDispose]() {
      await stop()
      await control.close()
    },
  }
}
