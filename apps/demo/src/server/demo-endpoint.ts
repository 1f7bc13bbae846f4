import { ErrorCode, RpcError } from '@flashrpc/core'
import { createEndpoint, type Endpoint } from '@flashrpc/core/server'
import { contract } from '../contract.js'
import { hashFile } from './hash.js'
import { listFiles } from './list-files.js'
import { createLoadMeter } from './load.js'
import { Pages } from './pages.js'
import { askPages } from './question.js'
import { watchFolder } from './watch.js'

export interface DemoOptions {
  /** The real path of the folder that is watched. */
  folder: string
  /** The command that asks the open pages. */
  askCommand: () => string
  /** Says a line to the person at the terminal. */
  log: (line: string) => void
}

/** The demo's serving side; `endpoint` is to be attached to a server. */
export interface Demo {
  readonly endpoint: Endpoint<(typeof contract)['server'], (typeof contract)['client']>
  /** Ends everything it began. Safe to call twice. */
  close(): Promise<void>
}

/** Watches the folder and makes the endpoint that tells of it. */
export async function createDemo({ folder, askCommand, log }: DemoOptions): Promise<Demo> {
  const pages = new Pages()
  const tellAll = (tell: (page: ReturnType<Pages['all']>[number]) => Promise<void>): void => {
    // A page that goes away meanwhile misses it, and nobody else does.
    for (const page of pages.all()) void tell(page).catch(() => {})
  }
  const meter = createLoadMeter((load) => tellAll(({ channel }) => channel.other.load(load)))
  const stopWatching = await watchFolder(folder, {
    change: (change) => tellAll(({ channel }) => channel.other.notify(change)),
    warn: log,
  })

  const endpoint = createEndpoint(contract, {
    methods: {
      hello({ name, page: wanted }, { channel }) {
        if (!channel.isConnected) throw new RpcError(ErrorCode.disconnected, 'The page is gone')
        const page = pages.add(channel, name, wanted)
        meter.start()
        log(`page ${page.number} (${page.name}) is here`)
        return { page: page.number, folder, askCommand: askCommand() }
      },
      listFiles: (_, { signal }) => listFiles(folder, signal),
      hashFile: ({ path }, { signal }) => hashFile(folder, path, signal),
      ask({ text }, { channel, signal }) {
        const tell = channel.other.answered
        return askPages(pages.all(), text, (answer) => void tell(answer).catch(() => {}), signal)
      },
    },
    onDisconnect: [
      (channel) => {
        const page = pages.remove(channel)
        if (page) log(`page ${page.number} (${page.name}) is gone`)
        if (pages.size === 0) meter.stop()
      },
    ],
    onError: [
      (_, error) => log(`error: ${error instanceof Error ? error.message : String(error)}`),
    ],
  })

  return {
    endpoint,
    async close() {
      meter.stop()
      // A question waits for a person, who may be away: nothing worth waiting for long.
      await Promise.all([stopWatching(), endpoint.close({ drain: 500 })])
    },
  }
}
