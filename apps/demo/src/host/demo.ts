import { type ChannelHooks, ErrorCode, type Handlers, RpcError } from '@flashrpc/core'
import type { PresenceOptions } from '@flashrpc/core/server'
import { type contract, PAGES, type PageInfo } from '../contract.js'
import { DroppedFiles } from './dropped-files.js'
import { hashFile } from './hash.js'
import { listFiles } from './list-files.js'
import { createLoadMeter } from './load.js'
import { type DemoChannel, type Page, Pages } from './pages.js'
import { presenceOf } from './presence.js'
import { askPages } from './question.js'
import { watchFolder } from './watch.js'

export interface DemoOptions {
  /** The real path of the folder that is watched first. */
  folder: string
  /** The command that asks the open pages; undefined where no command can reach this program. */
  askCommand: () => string | undefined
  /** Says a line to the person at the terminal. */
  log: (line: string) => void
}

/** What the demo is to whatever lets pages in: the options of an endpoint, and of an Electron host. */
export interface Served
  extends Required<Pick<ChannelHooks<DemoChannel>, 'onDisconnect' | 'onError'>> {
  readonly methods: Handlers<(typeof contract)['server'], DemoChannel>
  /** What fails, or is refused, is logged in words of its own. */
  readonly logger: false
}

/** Who may see which pages are open: all clients of an endpoint. */
export const presence: PresenceOptions = { allow: (group) => group === PAGES }

/** The demo's serving side. It knows its pages, and not what they come over. */
export interface Demo {
  /**
   * What pages are served with. One demo may be served by several at once, an endpoint and an Electron
   * host: a browser's pages and an app's windows are then told, and asked, alike.
   */
  readonly served: Served
  /** The real path of the folder that is watched. */
  readonly folder: string
  /** Watches another folder from now on, and tells the pages. */
  watch(folder: string): Promise<void>
  /** Ends everything it began; what serves it is closed by its owner. Safe to call twice. */
  close(): Promise<void>
}

/** Watches the folder and measures the load while there are pages, and tells them. */
export async function createDemo({ folder, askCommand, log }: DemoOptions): Promise<Demo> {
  const pages = new Pages()
  const dropped = new DroppedFiles(log)
  const tellAll = (tell: (page: Page) => Promise<void>): void => {
    // A page that goes away meanwhile misses it, and nobody else does.
    for (const page of pages.all()) void tell(page).catch(() => {})
  }
  const meter = createLoadMeter((load) => tellAll(({ channel }) => channel.other.load(load)))
  const watching = await createWatching(folder, (path) =>
    watchFolder(path, {
      change: (change) => tellAll(({ channel }) => channel.other.notify(change)),
      warn: log,
    }),
  )

  const served: Served = {
    methods: {
      hello({ name, page: wanted }, { channel }) {
        if (!channel.isConnected) throw new RpcError(ErrorCode.disconnected, 'The page is gone')
        const page = pages.add(channel, name, wanted)
        const info: PageInfo = { page: page.number, name: page.name }
        channel.join(PAGES, { info })
        meter.start()
        log(`page ${page.number} (${page.name}) is here`)
        return { page: page.number, folder: watching.folder, askCommand: askCommand() }
      },
      listFiles: (_, { signal }) => listFiles(watching.folder, signal),
      hashFile: ({ path }, { signal }) => hashFile(watching.folder, path, signal),
      ask({ text }, { channel, signal }) {
        const tell = channel.other.answered
        return askPages(pages.all(), text, (answer) => void tell(answer).catch(() => {}), signal)
      },
      presence: (_, { signal }) => presenceOf(pages, signal),
      askPage({ page, text }, { signal }) {
        const timeout = Number.POSITIVE_INFINITY
        return theOne(pages, page).channel.other.confirm({ text }, { timeout, signal })
      },
      toast({ text, page }) {
        const to = page === undefined ? pages.all() : [theOne(pages, page)]
        const told = to.filter(({ channel }) => channel.has('toast'))
        for (const { channel } of told) {
          void channel.other.toast({ text, at: Date.now() }).catch(() => {})
        }
        return { told: told.length }
      },
      upload: ({ name, bytes }, { input }) => dropped.keep(name, bytes, input),
      download: ({ id }) => dropped.read(id),
    },
    onDisconnect: [
      (channel) => {
        const page = pages.remove(channel)
        if (page) log(`page ${page.number} (${page.name}) is gone`)
        if (pages.size === 0) meter.stop()
      },
    ],
    logger: false,
    onError: [
      (_, error) => log(`error: ${error instanceof Error ? error.message : String(error)}`),
    ],
  }

  return {
    served,
    get folder() {
      return watching.folder
    },
    async watch(next) {
      await watching.move(next)
      log(`watching ${next}`)
      tellAll(({ channel }) => channel.other.watching({ folder: next }))
    },
    async close() {
      meter.stop()
      await watching.close()
    },
  }
}

function theOne(pages: Pages, number: number): Page {
  const page = pages.get(number)
  if (!page) throw new RpcError(404, `Page ${number} is not open any more`)
  return page
}

/** One folder that is watched after another: never two at once. */
async function createWatching(
  first: string,
  begin: (folder: string) => Promise<() => Promise<void>>,
) {
  let folder = first
  let stop = await begin(first)
  let closed = false
  let last: Promise<void> = Promise.resolve()
  /** One step after another: a folder picked while the last one is still being read comes after it. */
  const next = (step: () => Promise<void>): Promise<void> => {
    const done = last.then(step)
    last = done.catch(() => {})
    return done
  }
  return {
    get folder() {
      return folder
    },
    move: (to: string) =>
      next(async () => {
        if (closed) return
        await stop()
        folder = to
        stop = await begin(to)
      }),
    close: () =>
      next(async () => {
        if (closed) return
        closed = true
        await stop()
      }),
  }
}
